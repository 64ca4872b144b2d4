const levels: Record<number, string> = { 30: '     ', 40: ' warn', 50: 'error', 60: 'fatal' };

type LogLine = {
  level: number;
  time: string;
  role?: string;
  msg?: string;
  err?: { message?: string; stack?: string };
  req?: { method?: string; path?: string };
  res?: { status?: number };
  responseTime?: number;
};

/** A JSON line of the log as one that a person at a terminal can read; any other line as it is. */
export function readable(line: string): string {
  const entry = parse(line);
  if (!entry) return line;
  const time = entry.time.slice(11, 19);
  const request = entry.req ? ` ${entry.req.method} ${entry.req.path} ${entry.res?.status ?? ''}` : '';
  const took = entry.responseTime === undefined ? '' : ` ${Math.round(entry.responseTime)} ms`;
  const error = entry.err ? `\n    ${entry.err.stack ?? entry.err.message ?? ''}` : '';
  return `${time} ${levels[entry.level] ?? '     '} ${(entry.role ?? '').padEnd(6)} ${entry.msg ?? ''}${request}${took}${error}`;
}

function parse(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line) as Partial<LogLine>;
    return typeof entry.level === 'number' && typeof entry.time === 'string' ? (entry as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
