import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Paths whose values never reach a log, whoever logs the object that holds them. */
const secrets = [
  'authorization',
  'cookie',
  'password',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'secret',
  'jwtSecret',
  'key',
];

/**
 * The process's logger: JSON lines on stdout.
 *
 * @param role which process writes (`web`, `worker`, `reindex`), in every line.
 * @param destination where the lines go instead.
 */
export function createLogger(options: { level: string; role: string }, destination?: DestinationStream): Logger {
  const settings = {
    level: options.level,
    base: { role: options.role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: '[redacted]',
    },
  };
  return destination ? pino(settings, destination) : pino(settings);
}
