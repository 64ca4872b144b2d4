/**
 * In milliseconds: nothing is to be done for it and nothing to be waited for, so that a connection on which it is not
 * answered has lost its other end. Dispatchers and sweeps would stand still as long as a long statement may take.
 */
export const promptMs = 5_000;

/**
 * The first statement of a transaction whose others, which have names, are to be planned once per connection. Postgres
 * would plan those anew each time that take arrays, as it cannot know how long these will be: to unblock a job took 1.1
 * ms so, of them 0.8 for the plan, and to admit one 0.8 ms, of them 0.6.
 *
 * What is planned once is planned for the tables of the first minute, which are empty, until Postgres analyses them: such
 * a statement picks its rows by `id = ANY(ARRAY(...))`, never by a join, for which an empty table may be read from end to
 * end. Of 2,000 jobs that came in that minute each that was admitted read 1,300, and held the lock of its lane for 13 ms.
 */
export const planOnce = {
  name: 'plan-once',
  query_timeout: promptMs,
  text: `SELECT set_config('plan_cache_mode', 'force_generic_plan', true)`,
};
