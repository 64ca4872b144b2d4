import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextFree } from '../../shared/local/ports.js';
import { eventually } from '../support/eventually.js';
import { startTestApp, type TestApp, testEnvironment, type TestUser } from '../support/app.js';
import { type Editor, makeDocument, openEditor, share, storedText } from '../support/documents.js';
import { type Phoenix, startPhoenix } from '../support/phoenix.js';
import { ownPostgres, ownRedis } from '../support/stack.js';

let postgres: Awaited<ReturnType<typeof ownPostgres>>;
let redis: Awaited<ReturnType<typeof ownRedis>>;
let app: TestApp;
let webs: { url: string; process: Phoenix }[];
let worker: Phoenix;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([ownPostgres(), ownRedis()]);
  const stores = { databaseUrl: postgres.url, redisUrl: redis.url };
  app = await startTestApp(stores);
  const env = { ...testEnvironment(stores), HOST: '127.0.0.1', METRICS_PORT: '0', PATH: process.env.PATH ?? '' };
  webs = [];
  // Below the ports that systems give to outgoing connections: one of those can take the port of a web process while it
  // is down, and keep it from starting again.
  for (const from of [21_000, 22_000]) {
    const port = await nextFree(from + Math.floor(Math.random() * 500), '127.0.0.1');
    webs.push({ url: `http://127.0.0.1:${port}`, process: startPhoenix('web', { ...env, PORT: String(port) }) });
  }
  worker = startPhoenix('worker', env);
});
afterAll(async () => {
  await Promise.all([...webs.map(({ process }) => process.close()), worker.close()]);
  await app.close();
  await redis.remove();
  await postgres.remove();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test(
  'whatever is killed, flushed or restarted while ten people type, no saved edit is lost',
  { timeout: 180_000 },
  async () => {
    const ada = await app.registerUser({ name: 'Ada' });
    const people = [ada, ...(await Promise.all(Array.from({ length: 9 }, () => app.registerUser())))];
    const id = await makeDocument(app, ada);
    for (const user of people.slice(1)) await share(app, ada, id, user);
    const seat = (index: number): { url: string } => webs[index % 2] as { url: string };
    const editors = await Promise.all(people.map((user, index) => openEditor(seat(index), user, id)));

    let typing = true;
    const marks: string[] = [];
    const type = async (editor: Editor, index: number): Promise<void> => {
      for (let count = 0; typing; count += 1) {
        const mark = `<${index}.${count}>`;
        editor.text.insert(Math.floor(Math.random() * 3) === 0 ? 0 : editor.text.length, mark);
        marks.push(mark);
        await pause(20 + Math.random() * 60);
      }
    };
    // These leave as soon as their edit is saved: nobody could send it again.
    const visit = async (user: TestUser, index: number): Promise<void> => {
      for (let count = 0; typing; count += 1) {
        const visitor = await openEditor(seat(index), user, id);
        const mark = `<visit ${index}.${count}>`;
        visitor.text.insert(0, mark);
        await visitor.provider.whenSaved();
        marks.push(mark);
        visitor.close();
      }
    };
    const work = [...editors.map(type), ...people.slice(0, 3).map(visit)];

    const admin = new Redis(redis.url, { maxRetriesPerRequest: null });
    admin.on('error', () => {});
    const disasters: (() => unknown)[] = [
      () => webs[0]?.process.kill(),
      () => webs[1]?.process.kill(),
      () => worker.kill(),
      () => admin.flushall(),
      () => postgres.restart(),
      async () => {
        await postgres.kill();
        await postgres.restart();
      },
      async () => {
        await redis.kill();
        await redis.start();
      },
    ];
    for (const disaster of disasters) {
      await pause(300 + Math.random() * 1_200);
      await disaster();
    }
    await pause(1_000);
    typing = false;
    await Promise.all(work);
    await Promise.all(editors.map(({ provider }) => provider.whenSaved()));
    admin.disconnect();

    const stored = await eventually(async () => {
      const text = await storedText(app, ada, id);
      expect(typeof text).toBe('string');
      return text;
    });
    // The texts of ten replicas in a message would be long.
    expect(marks.filter((mark) => stored.split(mark).length !== 2)).toEqual([]);
    await eventually(() => expect(editors.filter(({ text }) => text.toString() !== stored)).toHaveLength(0), {
      timeout: 30_000,
      interval: 200,
    });
    for (const editor of editors) editor.close();
    expect(webs.map(({ process }) => process.starts())).toEqual([2, 2]);
    expect(marks.length).toBeGreaterThan(200);
  },
);
