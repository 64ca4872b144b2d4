import { ConfigError } from './config.js';
import { JobFailure } from './errors.js';

/**
 * Runs the entry of a process. A mistake of whoever started it (the configuration, the command line), and what another
 * service has refused, are told in their own words; anything else is shown with its stack. Either ends the process with
 * exit code 1.
 */
export function runEntry(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const told = error instanceof ConfigError || error instanceof JobFailure || isCommandLine(error);
    console.error(told ? error.message : error);
    process.exit(1);
  });
}

const isCommandLine = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
