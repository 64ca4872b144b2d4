import type { Json } from '../openapi/schemas.js';
import { escapeHtml } from '../page.js';
import { type DescribedEvent, type DescribedEvents, overview } from './asyncapi.js';

/** The socket events as a page to read. */
export function eventsPage({ fromClient, fromServer, refusal, schemas }: DescribedEvents): string {
  return [
    '<p><a href="/api/docs">HTTP API</a> · <a href="/api/asyncapi.json">AsyncAPI document</a></p>',
    `<h1>Socket events</h1><p>${prose(overview)}</p>`,
    '<h2>From the client</h2>',
    ...fromClient.map((event) => section(event, 'client')),
    `<h3>Refused</h3><p>What is acknowledged instead.</p>${fields(refusal)}`,
    '<h2>From the server</h2>',
    ...fromServer.map((event) => section(event, 'server')),
    '<h2>What events carry</h2>',
    ...Object.entries(schemas).map(
      ([name, schema]) => `<h3 id="schema-${escapeHtml(name)}">${escapeHtml(name)}</h3>${fields(schema as Json)}`,
    ),
  ].join('\n');
}

function section({ name, description, payload, ack }: DescribedEvent, from: string): string {
  const id = `${from}-${name.replaceAll(':', '-')}`;
  return (
    `<h3 id="${escapeHtml(id)}"><code>${escapeHtml(name)}</code></h3>` +
    (description ? `<p>${prose(description)}</p>` : '') +
    fields(payload) +
    (ack ? `<p>Acknowledged with</p>${fields(ack)}` : '')
  );
}

function fields(schema: Json): string {
  const properties = (schema.properties ?? {}) as Record<string, Json>;
  const required = (schema.required ?? []) as string[];
  const rows = Object.entries(properties).map(([name, field]) => {
    const optional = required.includes(name) ? '' : ' <em>(optional)</em>';
    const description = typeof field.description === 'string' ? ` – ${prose(field.description)}` : '';
    return `<li><code>${escapeHtml(name)}</code>: ${typeOf(field)}${optional}${description}</li>`;
  });
  return rows.length > 0 ? `<ul>${rows.join('')}</ul>` : `<p>${typeOf(schema)}</p>`;
}

function typeOf(schema: Json): string {
  if (typeof schema.$ref === 'string') {
    const name = escapeHtml(schema.$ref.split('/').at(-1) ?? '');
    return `<a href="#schema-${name}">${name}</a>`;
  }
  for (const list of [schema.anyOf, schema.oneOf, schema.allOf]) {
    if (Array.isArray(list)) return list.map((option: Json) => typeOf(option)).join(' or ');
  }
  if (schema.const !== undefined) return `<code>${escapeHtml(JSON.stringify(schema.const))}</code>`;
  if (Array.isArray(schema.enum))
    return `<code>${schema.enum.map((value) => escapeHtml(JSON.stringify(value))).join(' | ')}</code>`;
  if (schema.type === 'array') return `list of ${typeOf((schema.items ?? {}) as Json)}`;
  if (schema.type === 'object' && schema.properties) {
    const inner = Object.entries(schema.properties as Record<string, Json>);
    return `{${inner.map(([name, field]) => `${escapeHtml(name)}: ${typeOf(field)}`).join(', ')}}`;
  }
  if (Array.isArray(schema.type)) return escapeHtml(schema.type.join(' or '));
  if (typeof schema.type !== 'string') return 'anything';
  return escapeHtml(typeof schema.format === 'string' ? `${schema.type} (${schema.format})` : schema.type);
}

/** Descriptions mark names of fields with backticks. */
const prose = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
