/**
 * Entry: runs the stand-in for the Anthropic Messages API as a process of its own, until it is told to stop.
 *
 *     node dist/shared/local/messages-api/main.js [--port <port>] [--rate <tokens per second>]
 *
 * Its first line on stdout is JSON: `{"url":"http://127.0.0.1:…"}`.
 */
import { parseArgs } from 'node:util';
import { startMessagesApi } from './server.js';

const { values } = parseArgs({ options: { port: { type: 'string' }, rate: { type: 'string' } } });
const api = await startMessagesApi({
  port: Number(values.port ?? process.env.PORT ?? 0),
  ...(values.rate === undefined ? {} : { rate: Number(values.rate) }),
});
console.log(JSON.stringify({ url: api.url }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void api.stop());
