import { z } from 'zod';

export type Json = { [key: string]: unknown };
type Direction = 'input' | 'output';

/** Turns zod schemas into JSON Schema; those with an id go into `components/schemas` and are referred to. */
export type SchemaCollector = {
  /** @param direction `input` for what is sent to Millrace: fields with a default may be left out. */
  describe(schema: z.ZodType, direction: Direction): Json;
  /** Replaces the references in `document`, once everything was described. @returns `components/schemas`. */
  finish(document: unknown): Json;
};

/** @param target the dialect that the description's format wants. */
export function createSchemaCollector(target: 'draft-2020-12' | 'draft-7'): SchemaCollector {
  const collected = new Map<string, Json>();
  const definitionsKey = target === 'draft-7' ? 'definitions' : '$defs';

  return {
    describe(schema, direction) {
      const described = z.toJSONSchema(schema, {
        target,
        io: direction,
        unrepresentable: 'any',
        override: ({ jsonSchema }) => simplify(jsonSchema as Json, direction),
      }) as Json;
      const { $schema: _, [definitionsKey]: definitions, ...root } = described;
      for (const [name, definition] of Object.entries((definitions ?? {}) as Record<string, Json>)) {
        const { id: _id, $id: _$id, ...rest } = definition;
        collected.set(placeholder(direction, name), mark(rest, direction));
      }
      return mark(root, direction);
    },

    finish(document) {
      const names = new Map<string, string>();
      for (const [key, definition] of collected) {
        const [direction, name = ''] = key.split(':');
        const other = collected.get(placeholder(direction === 'input' ? 'output' : 'input', name));
        const differs = other !== undefined && plain(other) !== plain(definition);
        names.set(key, differs && direction === 'input' ? `${name}Input` : name);
      }
      const schemas = Object.fromEntries(
        [...collected].map(([key, definition]) => [names.get(key) ?? key, definition]),
      );
      for (const part of [document, schemas]) {
        visit(part, (node) => {
          const name = typeof node.$ref === 'string' ? names.get(node.$ref) : undefined;
          if (name !== undefined) node.$ref = `#/components/schemas/${name}`;
        });
      }
      return schemas;
    },
  };
}

/** Until all is known, a reference says which of the two forms of a schema it means. */
const placeholder = (direction: string, name: string): string => `${direction}:${name}`;

/** Both forms of a schema that refer to the two forms of another are compared without that difference. */
const plain = (definition: Json): string => JSON.stringify(definition).replace(/"(input|output):/g, '"');

function mark(schema: Json, direction: Direction): Json {
  visit(schema, (node) => {
    const name = typeof node.$ref === 'string' ? /^#\/(?:\$defs|definitions)\/(.+)$/.exec(node.$ref)?.[1] : undefined;
    if (name !== undefined) node.$ref = placeholder(direction, name);
  });
  return schema;
}

/** Formats say what these patterns spell out over a hundred characters; and an answer may get more fields one day. */
function simplify(schema: Json, direction: Direction): void {
  if (schema.format !== undefined) delete schema.pattern;
  if (direction === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}

/** Calls `change` with every object within `value`. */
function visit(value: unknown, change: (node: Json) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, change);
  } else if (typeof value === 'object' && value !== null) {
    change(value as Json);
    for (const item of Object.values(value)) visit(item, change);
  }
}
