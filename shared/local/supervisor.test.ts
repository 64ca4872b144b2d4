import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startSupervisor, type Supervisor } from './supervisor.js';

/** A process of the product in its smallest form; it dies when it is asked to. */
const webEntry = `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  if (request.url === '/die') process.exit(3);
  response.end(JSON.stringify({ pid: process.pid, database: process.env.DATABASE_URL, model: process.env.ANTHROPIC_BASE_URL, secret: process.env.JWT_SECRET }));
});
server.listen(Number(process.env.PORT), '0.0.0.0');
process.on('SIGTERM', () => process.exit(0));
`;
const workerEntry = `setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(0));`;

let root = '';
let running: Supervisor | undefined;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'millrace-supervisor-'));
  await writeFile(path.join(root, 'web.mjs'), webEntry);
  await writeFile(path.join(root, 'worker.mjs'), workerEntry);
  await writeFile(path.join(root, 'broken.mjs'), 'process.exit(7)');
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
});
afterAll(async () => {
  const moved = await readFile(path.join(root, '.millrace/postgres/moved-to'), 'utf8').catch(() => '');
  for (const folder of [root, moved.trim()].filter(Boolean)) await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function start(env: Record<string, string>, web = 'web.mjs', failures: string[] = []): Promise<Supervisor> {
  running = await startSupervisor({
    root,
    env: { PATH: process.env.PATH, ...env },
    entries: { web: path.join(root, web), worker: path.join(root, 'worker.mjs') },
    count: { web: 1, worker: 1 },
    say: () => {},
    output: () => {},
    onFailure: (message) => failures.push(message),
  });
  return running;
}

type Answer = { pid: number; database: string; model: string; secret: string };
const ask = async (url: string): Promise<Answer> => (await (await fetch(url)).json()) as Answer;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('starts what is not set, keeps its secret, brings a crashed process back, and leaves nothing running', async () => {
  const PORT = String(await freePort());
  const { url, summary, stop } = await start({ PORT });
  expect(summary.join('\n')).toMatch(/PostgreSQL {2}embedded[^]*Redis[^]*Claude {6}a stand-in/);
  const first = await ask(url);
  await expect(start({ PORT: '0' })).rejects.toThrow(/already running in this folder \(process \d+\)/);

  await fetch(`${url}/die`).catch(() => {});
  await expect
    .poll(
      () =>
        ask(url)
          .then((answer) => answer.pid)
          .catch(() => first.pid),
      { timeout: 10_000 },
    )
    .not.toBe(first.pid);
  const second = await ask(url);
  expect(second).toEqual({ ...first, pid: second.pid });
  await stop();
  expect(isRunning(second.pid)).toBe(false);
  await expect(fetch(second.model)).rejects.toThrow();

  const again = await start({ PORT });
  expect(await ask(again.url)).toMatchObject({ secret: first.secret, database: first.database });
});

test('a taken PORT that was set is an error', async () => {
  const squatter = createServer().listen(0, '0.0.0.0');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  await expect(start({ PORT: String(port) })).rejects.toThrow(
    `Port ${port} is taken by another program. Set PORT to a free one.`,
  );
  squatter.close();
});

test('mistakes of the configuration are told before a process is started; .env counts', async () => {
  await writeFile(path.join(root, '.env'), 'LOG_LEVEL=loud\nPORT=99999\n');
  const error: Error = await start({ POOL_TIMEOUT: 'soon', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' }).then(
    () => expect.unreachable(),
    (thrown: unknown) => thrown as Error,
  );
  expect(error.message).toMatch(/LOG_LEVEL: /);
  expect(error.message).toContain('PORT: must be a whole number from 0 to 65535');
  expect(error.message).toContain('POOL_TIMEOUT: must be a whole number from 1 to 300');
  expect(error.message).toContain('ANTHROPIC_API_KEY: must be set');
  await rm(path.join(root, '.env'));
});

test('a process that crashes again and again ends the start with a message', async () => {
  const failures: string[] = [];
  await expect(start({ PORT: '0' }, 'broken.mjs', failures)).rejects.toThrow(/The web process ended with exit code 7/);
  expect(failures).toHaveLength(1);
});
