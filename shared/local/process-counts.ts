import { parseArgs } from 'node:util';

/** How many processes of each kind run. */
export type ProcessCounts = { web: number; worker: number };

/** More on one machine is a slip of the finger. */
const most = 64;

/**
 * Reads the command line of `npm start`: `--web 2 --workers 3`; one of each unless told.
 *
 * @throws {Error} with a message for the user.
 */
export function readProcessCounts(args: string[]): ProcessCounts {
  const { values } = parseArgs({
    args,
    options: { web: { type: 'string', default: '1' }, workers: { type: 'string', default: '1' } },
  });
  return { web: count('web', values.web, 1), worker: count('workers', values.workers, 0) };
}

function count(option: string, value: string, least: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= most) return number;
  throw new Error(`--${option} must be a whole number from ${least} to ${most}.`);
}
