import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Paths whose values never reach a log, whoever logs the object that holds them. */
const secrets = [
  'authorization',
  'cookie',
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'secret',
  'key',
];

/**
 * The process's logger: JSON lines on stdout.
 *
 * @param role which process writes (`web`, `worker`, `migrate`), in every line.
 */
export function createLogger(options: { level: string; role: string }): Logger {
  return pino({
    level: options.level,
    base: { role: options.role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: secrets.flatMap((name) => [name, `*.${name}`, `req.headers.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    },
  });
}
