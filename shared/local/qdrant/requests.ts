import { z } from 'zod';

/** The part of Qdrant's REST API that the stand-in knows: anything else is refused, never ignored. */
const finite = z.number();
const pointId = z.uuid({ error: 'only UUIDs are supported as point ids' }).transform((id) => id.toLowerCase());
/** Numbers, checked in one go: element by element it took longer than the search. */
const numbers = z.custom<number[]>(
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'number'),
  'not a list of numbers',
);
const indices = z.custom<number[]>(
  (value) => Array.isArray(value) && value.every((item) => Number.isInteger(item) && item >= 0 && item <= 0xffff_ffff),
  'not a list of unsigned 32-bit numbers',
);
const sparse = z
  .strictObject({ indices, values: numbers })
  .refine(({ indices, values }) => indices.length === values.length, 'indices and values differ in length')
  .refine(({ indices }) => new Set(indices).size === indices.length, 'indices are not unique');
const payload = z.record(z.string(), z.unknown());

export type Payload = z.infer<typeof payload>;

export type Condition = z.infer<typeof leaf> | Filter;
export type Filter = {
  must?: Condition | Condition[] | null | undefined;
  should?: Condition | Condition[] | null | undefined;
  must_not?: Condition | Condition[] | null | undefined;
};

const scalar = z.union([z.string(), z.number().int(), z.boolean()]);
const match = z.union([
  z.strictObject({ value: scalar }),
  z.strictObject({ any: z.array(z.union([z.string(), z.number().int()])) }),
]);
const leaf = z.union([z.strictObject({ key: z.string(), match }), z.strictObject({ has_id: z.array(pointId) })]);
const conditions: z.ZodType<Condition | Condition[] | null | undefined> = z.lazy(() =>
  z.union([leaf, filter, z.array(z.union([leaf, filter]))]).nullish(),
);
const filter: z.ZodType<Filter> = z.strictObject({ must: conditions, should: conditions, must_not: conditions });

const vectorInput = z.union([numbers, sparse]);
const nearest = z.strictObject({
  query: vectorInput,
  using: z.string(),
  filter: filter.nullish(),
  limit: z.number().int().min(1).default(10),
});
const variable = z.string().regex(/^\$score(\[\d+\])?$/, 'only $score[…] is supported in formulas');
const product = z.strictObject({ mult: z.tuple([finite, variable]) });
const fusion = z.union([
  z.strictObject({ fusion: z.enum(['rrf', 'dbsf']) }),
  z.strictObject({
    rrf: z.strictObject({ k: z.number().int().min(1).nullish(), weights: z.array(finite).nullish() }),
  }),
  z.strictObject({
    formula: z.strictObject({ sum: z.array(product) }),
    defaults: z.record(z.string(), finite).default({}),
  }),
]);
/** One search, or several that are put together before they are put together with others. */
const prefetch = z.union([
  nearest,
  z.strictObject({
    prefetch: z.array(nearest),
    query: fusion,
    filter: filter.nullish(),
    limit: z.number().int().min(1).default(10),
  }),
]);
const withPayload = z.union([z.boolean(), z.array(z.string())]);

export type FusionQuery = z.infer<typeof fusion>;
export type Nearest = z.infer<typeof nearest>;
export type Prefetch = z.infer<typeof prefetch>;

export const queryRequest = z.strictObject({
  prefetch: z.union([prefetch.transform((one) => [one]), z.array(prefetch)]).nullish(),
  query: z.union([vectorInput, fusion]).nullish(),
  using: z.string().nullish(),
  filter: filter.nullish(),
  limit: z.number().int().min(1).default(10),
  with_payload: withPayload.nullish(),
});
export const scrollRequest = z.strictObject({
  filter: filter.nullish(),
  limit: z.number().int().min(1).default(10),
  offset: pointId.nullish(),
  with_payload: withPayload.nullish(),
  with_vector: z.literal(false).nullish(),
});
export const countRequest = z.strictObject({ filter: filter.nullish(), exact: z.boolean().default(true) });
export const upsertRequest = z.strictObject({
  points: z.array(
    z.strictObject({
      id: pointId,
      vector: z.record(z.string(), vectorInput),
      payload: payload.nullish(),
    }),
  ),
});
/** Points by their ids or by a filter. */
export const pointsSelector = z.union([z.strictObject({ points: z.array(pointId) }), z.strictObject({ filter })]);
export const setPayloadRequest = z.strictObject({
  payload,
  points: z.array(pointId).nullish(),
  filter: filter.nullish(),
});
export const createCollectionRequest = z.strictObject({
  vectors: z.record(
    z.string(),
    z.strictObject({
      size: z.number().int().min(1).max(65_536),
      distance: z.literal('Cosine', { error: 'only Cosine is supported' }),
      on_disk: z.boolean().nullish(),
    }),
  ),
  sparse_vectors: z.record(z.string(), z.strictObject({ modifier: z.enum(['none', 'idf']).nullish() })).default({}),
  on_disk_payload: z.boolean().nullish(),
});
export const createIndexRequest = z.strictObject({
  field_name: z.string().min(1),
  field_schema: z.enum(['keyword', 'uuid', 'bool', 'integer']),
});
export const aliasesRequest = z.strictObject({
  actions: z.array(
    z.union([
      z.strictObject({ create_alias: z.strictObject({ collection_name: z.string(), alias_name: z.string() }) }),
      z.strictObject({ delete_alias: z.strictObject({ alias_name: z.string() }) }),
    ]),
  ),
});

export type QueryRequest = z.infer<typeof queryRequest>;
export type ScrollRequest = z.infer<typeof scrollRequest>;
export type UpsertRequest = z.infer<typeof upsertRequest>;
export type CreateCollection = z.infer<typeof createCollectionRequest>;
export type CreateIndex = z.infer<typeof createIndexRequest>;
export type AliasActions = z.infer<typeof aliasesRequest>['actions'];
