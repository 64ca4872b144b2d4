/**
 * Entry: runs the stand-in for Qdrant as a process of its own, until it is told to stop.
 *
 *     node dist/shared/local/qdrant/main.js --dir <folder> [--port <port>]
 *
 * Its first line on stdout is JSON: `{"url":"http://127.0.0.1:…"}`. With QDRANT_API_KEY set, requests must carry it.
 */
import { parseArgs } from 'node:util';
import { startQdrantServer } from './server.js';

const { values } = parseArgs({ options: { dir: { type: 'string' }, port: { type: 'string', default: '0' } } });
if (!values.dir) throw new Error('--dir is missing: the folder in which the points are kept');
const apiKey = process.env.QDRANT_API_KEY || undefined;
const server = await startQdrantServer({ dir: values.dir, port: Number(values.port), ...(apiKey ? { apiKey } : {}) });
console.log(JSON.stringify({ url: server.url }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.stop());
