/**
 * Says how a program is started, and ends it, when that is what is asked for: before it does anything.
 *
 * @param usage the line, and below it what each option is for.
 */
export function helpIfAsked(usage: string): void {
  if (!process.argv.slice(2).some((word) => word === '--help' || word === '-h')) return;
  console.log(usage);
  process.exit(0);
}
