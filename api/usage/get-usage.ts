import { z } from 'zod';
import { can } from '../../shared/accounts/policy.js';
import { costOf } from '../../shared/accounts/prices.js';
import { listUsage } from '../../shared/accounts/usage.js';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { AppError } from '../../shared/errors.js';
import { id, limit, page, text } from '../../shared/schemas.js';
import { endpoint } from '../endpoint.js';

/** The calendar of Postgres and the one of JavaScript agree in these years. */
const day = z.iso.date().refine((value) => value >= '1970-01-01', 'must not be before 1970');

const count = z.int().nonnegative();

const usageSchema = z
  .object({
    day: z.iso.date(),
    userId: z.uuid(),
    model: z.string(),
    attempts: count.describe('A reply that was tried again counts each time; one that looked things up counts once.'),
    inputTokens: count,
    outputTokens: count,
    cacheReadTokens: count,
    cacheWriteTokens: count,
    costUsd: z
      .number()
      .nonnegative()
      .nullable()
      .describe('In US dollars, at the prices that are known today; null for a model whose price is not known.'),
  })
  .meta({ id: 'UsageOfDay' });

const place = z.strictObject({ day, userId: z.uuid(), model: text(200) });

const dayMs = 86_400_000;
const toDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export const getUsage = endpoint({
  method: 'get',
  path: '/usage',
  tag: 'usage',
  auth: 'user',
  summary: 'Tokens used and what they cost, by day, account and model',
  description:
    'Admins see everybody, or one account; others see their own. Days are UTC. Of the stand-in it says what Claude would have cost.',
  query: z
    .strictObject({
      userId: id.optional(),
      from: day.optional().describe('First day; 30 days before the last one unless told.'),
      to: day.optional().describe('Last day; today unless told.'),
      cursor: z.string().max(1_000).optional(),
      limit,
    })
    .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
      path: ['from'],
      message: 'must not be after to',
    }),
  response: { status: 200, description: 'A page, newest day first.', schema: page(usageSchema) },
  errors: ['forbidden', 'invalid_cursor'],
  async handler({ ctx, principal, query }) {
    const everybody = can(principal.role, 'usage:read-all');
    if (!everybody && query.userId !== undefined && query.userId !== principal.userId) {
      throw new AppError('forbidden', 'Only admins may see what others used.');
    }
    const to = query.to ?? toDay(Date.now());
    const found = await listUsage(ctx.database, {
      userId: query.userId ?? (everybody ? null : principal.userId),
      from: query.from ?? toDay(Math.max(0, Date.parse(to) - 30 * dayMs)),
      to,
      after: decodeCursor(query.cursor, place),
      limit: query.limit + 1,
    });
    const { items, nextCursor } = toPage(found, query.limit, ({ day, userId, model }) => ({ day, userId, model }));
    const { prices } = ctx.config.model;
    return { items: items.map((item) => ({ ...item, costUsd: costOf(item, prices) })), nextCursor };
  },
});
