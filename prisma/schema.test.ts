import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../test/support/stack.js';

/** A table as both sides can tell it. Lists are sorted; columns are in their order. */
type Table = {
  columns: Record<string, { type: string; nullable: boolean; default: string | null }>;
  primaryKey: string[];
  /** Unique and plain indexes of all rows, as lists of columns. */
  unique: string[];
  indexes: string[];
  /** `column → table (column) on delete …` */
  foreignKeys: string[];
};

// Prisma's own tool for this needs an engine that cannot always be downloaded; the part of its language that is used
// here is small enough to be read by a few expressions.
const scalarTypes: Record<string, string> = {
  String: 'text',
  Int: 'integer',
  BigInt: 'bigint',
  Float: 'double precision',
  Boolean: 'boolean',
  Json: 'jsonb',
  Bytes: 'bytea',
};
const nativeTypes: Record<string, string> = {
  Uuid: 'uuid',
  SmallInt: 'smallint',
  'Timestamptz(3)': 'timestamp(3) with time zone',
};

function readSchema(text: string): Record<string, Table> {
  const models = [...text.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => ({ name, body }));
  const tableOf = (model: string): string => {
    const body = models.find(({ name }) => name === model)?.body ?? '';
    return /@@map\("(\w+)"\)/.exec(body)?.[1] ?? model;
  };
  return Object.fromEntries(models.map(({ name, body }) => [tableOf(name), readModel(body, tableOf)]));
}

function readModel(body: string, tableOf: (model: string) => string): Table {
  const table: Table = { columns: {}, primaryKey: [], unique: [], indexes: [], foreignKeys: [] };
  const lines = body.split('\n').map((line) => line.replace(/\/\/.*/, '').trim());
  const column = (field: string): string => {
    const line = lines.find((candidate) => candidate.startsWith(`${field} `)) ?? '';
    return /(?<!@)@map\("(\w+)"\)/.exec(line)?.[1] ?? field;
  };
  const columns = (list: string | undefined): string[] => (list ?? '').split(',').map((field) => column(field.trim()));

  for (const line of lines) {
    const whole = /^@@(id|unique|index)\(\[([^\]]+)\]/.exec(line);
    if (whole?.[1] === 'id') table.primaryKey = columns(whole[2]);
    if (whole?.[1] === 'unique') table.unique.push(columns(whole[2]).join(', '));
    if (whole?.[1] === 'index') table.indexes.push(columns(whole[2]).join(', '));

    const relation = /@relation\(fields: \[(.+?)\], references: \[(.+?)\](?:, onDelete: (\w+))?/.exec(line);
    if (relation) {
      const target = line.split(/\s+/)[1]?.replace('?', '') ?? '';
      const action = (relation[3] ?? 'NoAction').replace(/(?<=[a-z])(?=[A-Z])/, ' ').toLowerCase();
      const from = columns(relation[1]).join(', ');
      table.foreignKeys.push(`${from} → ${tableOf(target)} (${relation[2]}) on delete ${action}`);
    }

    const field = /^(\w+)\s+(\w+(?:\("\w+"\))?)(\?|\[\])?(?:\s|$)/.exec(line);
    if (!field || field[1] === undefined) continue;
    const type = columnType(line, field[2] ?? '', field[3] === '[]');
    if (type === undefined) continue;
    if (/@id\b/.test(line)) table.primaryKey = [column(field[1])];
    if (/@unique\b/.test(line)) table.unique.push(column(field[1]));
    const given = /@default\((.+?)\)(?= |$)/.exec(line)?.[1]?.replaceAll('"', '') ?? null;
    table.columns[column(field[1])] = { type, nullable: field[3] === '?', default: given };
  }
  return sorted(table);
}

/** @returns nothing for the side of a relation that is not a column. */
function columnType(line: string, type: string, isList: boolean): string | undefined {
  const native = /@db\.(\w+(?:\(\d+\))?)/.exec(line)?.[1];
  const known = native ? nativeTypes[native] : (/^Unsupported\("(.+)"\)$/.exec(type)?.[1] ?? scalarTypes[type]);
  if (native && !known) throw new Error(`Tell this test what @db.${native} is in Postgres.`);
  return known && isList ? `${known}[]` : known;
}

const sorted = (table: Table): Table => ({
  ...table,
  unique: table.unique.toSorted(),
  indexes: table.indexes.toSorted(),
  foreignKeys: table.foreignKeys.toSorted(),
});

const columnsOf = `
SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
  CASE WHEN a.attidentity <> '' THEN 'autoincrement()' WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'
ORDER BY c.relname, a.attnum`;

const indexesOf = `
SELECT c.relname AS table, i.indisprimary AS primary, i.indisunique AS unique, i.indpred IS NOT NULL AS partial, m.amname AS method,
  ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) k) AS columns
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> '_prisma_migrations'`;

const foreignKeysOf = `
SELECT conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS definition FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace`;

type Index = { table: string; primary: boolean; unique: boolean; partial: boolean; method: string; columns: string[] };

const database = await testDatabase();
const client = new pg.Client({ connectionString: database.url });
const schema = readSchema(readFileSync('prisma/schema.prisma', 'utf8'));
const migrated: Record<string, Table> = {};
const indexes: Index[] = [];

beforeAll(async () => {
  await client.connect();
  for (const { table, column, type, nullable, default: expression } of (await client.query(columnsOf)).rows) {
    migrated[table] ??= { columns: {}, primaryKey: [], unique: [], indexes: [], foreignKeys: [] };
    const literal = expression?.replace(/^'(.*)'::\w+$/, '$1') ?? null;
    migrated[table].columns[column] = { type, nullable, default: literal };
  }
  indexes.push(...(await client.query<Index>(indexesOf)).rows);
  for (const index of indexes) {
    const table = migrated[index.table];
    if (index.primary && table) table.primaryKey = index.columns;
    else if (!index.partial && index.method === 'btree')
      table?.[index.unique ? 'unique' : 'indexes'].push(index.columns.join(', '));
  }
  for (const { table, definition } of (await client.query(foreignKeysOf)).rows) {
    const parts = /^FOREIGN KEY \((.+?)\) REFERENCES (\w+)\((.+?)\)(?: ON DELETE (.+))?$/.exec(definition) ?? [];
    const action = (parts[4] ?? 'no action').toLowerCase();
    migrated[table]?.foreignKeys.push(`${parts[1]} → ${parts[2]} (${parts[3]}) on delete ${action}`);
  }
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

test('both have the same tables', () => {
  expect(Object.keys(schema).length).toBeGreaterThan(5);
  expect(Object.keys(migrated).toSorted()).toEqual(Object.keys(schema).toSorted());
});

describe.each(Object.keys(schema))('%s is the same in schema.prisma and after all migrations', (name) => {
  const table = (): Table =>
    sorted(migrated[name] ?? { columns: {}, primaryKey: [], unique: [], indexes: [], foreignKeys: [] });
  const model = schema[name];

  test('columns, in their order, with types and defaults', () => {
    expect(table().columns).toEqual(model?.columns);
    expect(Object.keys(table().columns)).toEqual(Object.keys(model?.columns ?? {}));
  });
  test('primary key', () => expect(table().primaryKey).toEqual(model?.primaryKey));
  test('unique indexes', () => expect(table().unique).toEqual(model?.unique));
  test('foreign keys', () => expect(table().foreignKeys).toEqual(model?.foreignKeys));
  test('indexes', () => {
    // An index of some rows only, which schema.prisma cannot tell, is there as an ordinary one or not at all.
    const partial = indexes
      .filter((index) => index.table === name && index.partial)
      .map(({ columns }) => columns.join(', '));
    expect(table().indexes).toEqual(model?.indexes.filter((columns) => !partial.includes(columns)));
  });
});
