import { clientEvents, refusalSchema, serverEvents } from '../../../shared/realtime/events.js';
import { createSchemaCollector, type Json } from '../openapi/schemas.js';

/** One event with JSON Schemas of what it carries. */
export type DescribedEvent = { name: string; description: string; payload: Json; ack?: Json };

/** The socket events of both directions, described from their tables. */
export type DescribedEvents = {
  fromClient: DescribedEvent[];
  fromServer: DescribedEvent[];
  refusal: Json;
  schemas: Json;
};

export function describeEvents(): DescribedEvents {
  const schemas = createSchemaCollector('draft-7');
  const fromClient = Object.entries(clientEvents).map(([name, { payload, ack, description }]) => ({
    name,
    description,
    payload: schemas.describe(payload, 'input'),
    ack: schemas.describe(ack, 'output'),
  }));
  const fromServer = Object.entries(serverEvents).map(([name, schema]) => {
    const { description = '', ...payload } = schemas.describe(schema, 'output') as { description?: string };
    return { name, description, payload };
  });
  const refusal = schemas.describe(refusalSchema, 'output');
  return { fromClient, fromServer, refusal, schemas: schemas.finish([fromClient, fromServer, refusal]) };
}

/** Describes the events as AsyncAPI 3: all travel over one Socket.IO connection. */
export function asyncApiDocument({ fromClient, fromServer, refusal, schemas }: DescribedEvents, version: string): Json {
  const messages: Record<string, Json> = { refused: { name: 'ack', title: 'Refused', payload: refusal } };
  const operations: Record<string, Json> = {};

  for (const { name, description, payload, ack } of fromClient) {
    const key = `client.${keyOf(name)}`;
    messages[key] = message(name, description, payload);
    messages[`${key}.ack`] = { name: 'ack', title: `${name}: acknowledged`, payload: ack };
    operations[`receive.${keyOf(name)}`] = {
      action: 'receive',
      channel,
      summary: description,
      messages: [inChannel(key)],
      reply: { channel, messages: [inChannel(`${key}.ack`), inChannel('refused')] },
    };
  }
  for (const { name, description, payload } of fromServer) {
    const key = `server.${keyOf(name)}`;
    messages[key] = message(name, description, payload);
    operations[`send.${keyOf(name)}`] = {
      action: 'send',
      channel,
      ...(description ? { summary: description } : {}),
      messages: [inChannel(key)],
    };
  }

  const references = Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }]);
  return {
    asyncapi: '3.0.0',
    info: { title: 'Millrace sockets', version, description: overview, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/socket.io/',
        title: 'The Socket.IO connection',
        description: 'Protocol version 5 of Engine.IO 4, by WebSocket or polling.',
        messages: Object.fromEntries(references) as Json,
      },
    },
    operations,
    components: { schemas, messages },
  };
}

/** What holds for all events. */
export const overview =
  'Connect with Socket.IO and `auth: {token}`, an access token or an API key; renew it with `authenticate`. Every ' +
  'event of a client is acknowledged with `{ok: true, …}` when it was done, or with `{ok: false, error: {type, ' +
  'message}}`. Events of a conversation come to those who joined it.';

const channel = { $ref: '#/channels/socket' };

const inChannel = (key: string): Json => ({ $ref: `#/channels/socket/messages/${key}` });

/** Keys of components may not hold a colon. */
const keyOf = (event: string): string => event.replaceAll(':', '.');

const message = (name: string, description: string, payload: Json): Json => ({
  name,
  title: name,
  ...(description ? { summary: description } : {}),
  payload,
});
