/**
 * The first statement of a transaction whose others, which have names, are to be planned once per connection. Postgres
 * would plan those anew each time that take arrays, as it cannot know how long these will be: to unblock a job took 1.1
 * ms so, of them 0.8 for the plan, and to admit one 0.8 ms, of them 0.6.
 *
 * A plan of the first minute, when the table is empty, is kept until it is analysed: without the second setting it would
 * read the table from end to end when that has become long.
 */
export const planOnce = {
  name: 'plan-once',
  text: `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)`,
};
