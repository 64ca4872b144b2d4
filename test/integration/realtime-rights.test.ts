// Long: one model of who may hear what, the steps that change it, and what must hold after each of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { Role } from '../../shared/accounts/principal.js';
import { conversationOf, documentOf, rooms } from '../../shared/realtime/rooms.js';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { makeDocument } from '../support/documents.js';
import { type EventReader, readEvents } from '../support/event-source.js';
import { eventually } from '../support/eventually.js';
import { randomFrom } from '../support/rights-model.js';
import { connectRaw, type RawSocket } from '../support/sockets.js';
import { startTestSystem, type TestSystem } from '../support/system.js';

/** A reply says so many words, more slowly than a test takes. */
const words = Array.from({ length: 6_000 }, (_, at) => ` w${at}`);

let system: TestSystem;
let apps: TestApp[];
let keeper: TestUser;

beforeAll(async () => {
  const script = () => ({ blocks: [{ type: 'text' as const, tokens: words }], rate: 25 });
  system = await startTestSystem({ modelApi: { script } });
  const { databaseUrl, redisUrl } = system;
  apps = [system.app, await startTestApp({ databaseUrl, redisUrl })];
  keeper = await system.app.registerUser({ role: 'admin', name: 'Keeper' });
});
afterAll(async () => {
  await apps[1]?.close();
  await system.close();
});

/** A revocation counts within a second of its acknowledgement; a busy machine is given half of one more. */
const graceMs = 1_500;

/** A stream of a reply: how many events came, and whether it has ended. */
type Stream = { reader: EventReader; events: number; ended: boolean };

type Reader = TestUser & {
  role: Role;
  disabled: boolean;
  app: TestApp;
  socket: RawSocket;
  /** Events from this one on came after the last change of rights had its time. */
  from: number;
  streams: Map<string, Stream>;
};

/** `readsFrom`: of each reader the seq up to which everything is kept from them. */
type Talk = { id: string; firstId: string; replyId: string; jobId: string; readsFrom: Map<Reader, number> };
type Paper = { id: string; levels: Map<Reader, 'view' | 'edit'> };

/** This one comes upon what is heard after it was taken away, should that ever be so; any other may be tried. */
const seed = Number(process.env.MILLRACE_TEST_SEED ?? 11);

describe(`whatever is taken away (seed ${seed})`, () => {
  it('nothing of it is heard any more, and everything else is', { timeout: 200_000 }, async () => {
    const random = randomFrom(seed);
    const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
    const call = async (method: string, path: string, body?: object) => {
      const answer = await system.app.request(method, path, { token: keeper.accessToken, body });
      expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
      return answer.body;
    };
    const readers: Reader[] = [];
    const talks: Talk[] = [];
    const papers: Paper[] = [];
    /** The seq of each message, by its id. */
    const seqs = new Map<string, number>();

    const open = async (reader: Pick<Reader, 'app' | 'accessToken'>) => connectRaw(reader.app.url, reader.accessToken);
    const hear = async (reader: Reader, { replyId }: Talk): Promise<void> => {
      const url = `${reader.app.url}/api/v1/messages/${replyId}/stream`;
      const stream: Stream = { reader: await readEvents(url, reader.accessToken), events: 0, ended: false };
      expect(stream.reader.status).toBe(200);
      reader.streams.set(replyId, stream);
      const read = async (): Promise<void> => {
        while (await stream.reader.next()) stream.events += 1;
      };
      void read()
        .catch(() => {})
        .finally(() => (stream.ended = true));
    };
    const mayHear = (reader: Reader, talk: Talk): boolean =>
      (talk.readsFrom.get(reader) ?? Infinity) < (seqs.get(talk.replyId) ?? 0);

    /** Opens all that somebody may read, as a client does that learns of it. */
    const openAll = async (reader: Reader): Promise<void> => {
      if (reader.disabled) return;
      for (const talk of talks) {
        if (!talk.readsFrom.has(reader)) continue;
        expect(await reader.socket.ask('conversation:join', { conversationId: talk.id })).toMatchObject({ ok: true });
        if (mayHear(reader, talk) && reader.streams.get(talk.replyId)?.ended !== false) await hear(reader, talk);
      }
      for (const { id, levels } of papers) {
        if (!levels.has(reader)) continue;
        const clientId = new Y.Doc().clientID;
        expect(await reader.socket.ask('document:join', { documentId: id, clientId })).toMatchObject({ ok: true });
      }
      for (const { jobId } of talks) {
        if (reader.role === 'admin')
          expect(await reader.socket.ask('job:watch', { jobId })).toMatchObject({ ok: true });
      }
    };

    const note = (message: { id: string; seq: number }): void => void seqs.set(message.id, message.seq);
    const mayReceive = (reader: Reader, event: string, payload: unknown): boolean => {
      if (['session', 'error', 'access:revoked'].includes(event)) return true;
      const about = payload as {
        room?: string;
        conversationId?: string;
        documentId?: string;
        jobId?: string;
        messageId?: string;
        message?: { id: string };
      };
      const talk = talks.find(({ id }) => id === (about.conversationId ?? conversationOf(about.room ?? '')));
      if (talk) {
        const readsFrom = talk.readsFrom.get(reader);
        const messageId = about.message?.id ?? about.messageId;
        if (readsFrom === undefined || reader.disabled) return false;
        // One that the test has not been told of yet is a new one.
        return messageId === undefined || (seqs.get(messageId) ?? Infinity) > readsFrom;
      }
      const paper = papers.find(({ id }) => id === (about.documentId ?? documentOf(about.room ?? '')));
      if (paper) return paper.levels.has(reader) && !reader.disabled;
      return about.jobId !== undefined && reader.role === 'admin' && !reader.disabled;
    };
    /** What readers were told since the last change that they might not be told. */
    const leaks = (): string[] =>
      readers.flatMap((reader) =>
        reader.socket.received
          .slice(reader.from)
          .filter(({ event, payload }) => !mayReceive(reader, event, payload))
          .map(({ event, payload }) => `${reader.user.name}: ${event} ${JSON.stringify(payload).slice(0, 200)}`),
      );

    /** Whether everybody who has lost something was told so, and their streams have ended. */
    const isSettled = (reader: Reader, lost: string[], since: number): boolean => {
      if (reader.disabled && reader.socket.socket.connected) return false;
      const told = reader.socket.received.slice(since).flatMap(({ event, payload }) => {
        return event === 'access:revoked' ? (payload as { room: string }).room : [];
      });
      const open = talks.filter((talk) => reader.disabled || !mayHear(reader, talk));
      return (
        open.every(({ replyId }) => reader.streams.get(replyId)?.ended !== false) &&
        (reader.disabled || lost.every((room) => told.includes(room)))
      );
    };
    const roomsOf = (reader: Reader): string[] => [
      ...talks.filter(({ readsFrom }) => readsFrom.has(reader)).map(({ id }) => rooms.conversation(id)),
      ...papers.filter(({ levels }) => levels.has(reader)).map(({ id }) => rooms.document(id)),
      ...talks.filter(() => reader.role === 'admin').map(({ jobId }) => rooms.job(jobId)),
    ];

    /** Changes a right, gives it its time, and opens what is new. */
    const change = async (reader: Reader, make: () => Promise<void>): Promise<void> => {
      const before = roomsOf(reader);
      const since = reader.socket.received.length;
      await make();
      const after = roomsOf(reader);
      const lost = before.filter((room) => !after.includes(room));
      const settled = () => expect(isSettled(reader, lost, since)).toBe(true);
      // What comes in spite of it is found by what is sent next.
      await eventually(settled, { timeout: graceMs, interval: 5 }).catch(() => {});
      for (const each of readers) each.from = each.socket.received.length;
      for (const talk of talks) {
        if (reader.disabled || !mayHear(reader, talk)) {
          expect(reader.streams.get(talk.replyId)?.ended, `a stream of ${reader.user.name}`).not.toBe(false);
        }
      }
      await openAll(reader);
    };

    const editors = new Map<string, RawSocket>();
    /** An edit by somebody, as a client that has read nothing makes it. */
    const edit = (socket: RawSocket, documentId: string) => {
      const doc = new Y.Doc();
      doc.getText('content').insert(0, 'x');
      return socket.ask('document:update', { documentId, update: Y.encodeStateAsUpdate(doc) });
    };
    let probes = 0;

    /** Something happens everywhere: who may hear of it does, and nobody else. */
    const probe = async (): Promise<void> => {
      probes += 1;
      const n = probes;
      const streamed = new Map(readers.flatMap(({ streams }) => [...streams.values()].map((one) => [one, one.events])));
      const since = new Map(readers.map((reader) => [reader, reader.socket.received.length]));
      const expected: { reader: Reader; what: string; is: (event: string, payload: never) => boolean }[] = [];
      for (const talk of talks) {
        const { message } = await call('POST', `/conversations/${talk.id}/messages`, { content: `${n}`, reply: false });
        note(message);
        await call('PATCH', `/messages/${talk.firstId}`, { content: `changed ${n}` });
        await system.app.ctx.publisher.emit(rooms.job(talk.jobId), 'job:progress', {
          jobId: talk.jobId,
          state: 'running',
          progress: n,
        });
        for (const reader of readers.filter(({ disabled }) => !disabled)) {
          const readsFrom = talk.readsFrom.get(reader) ?? Infinity;
          const hears = (what: string, is: (event: string, payload: never) => boolean): void =>
            void expected.push({ reader, what, is });
          if (readsFrom < message.seq) {
            hears('a message', (_, { message: heard }: { message?: { id: string } }) => heard?.id === message.id);
          }
          if (readsFrom < (seqs.get(talk.firstId) ?? 0)) {
            hears('a change', (event, { message: heard }: { message: { content: string } }) => {
              return event === 'message:updated' && heard.content === `changed ${n}`;
            });
          }
          if (mayHear(reader, talk)) {
            hears('a reply', (event, { messageId }: { messageId: string }) => {
              return event === 'reply:delta' && messageId === talk.replyId;
            });
          }
          if (reader.role === 'admin') {
            hears('a job', (event, { jobId, progress }: { jobId: string; progress: number }) => {
              return event === 'job:progress' && jobId === talk.jobId && progress === n;
            });
          }
        }
      }
      for (const { id, levels } of papers) {
        for (const reader of readers.filter(({ disabled }) => !disabled)) {
          expect((await edit(reader.socket, id)).ok, `an edit of ${reader.user.name}`).toBe(
            levels.get(reader) === 'edit',
          );
        }
        const { seq } = await edit(editors.get(id) as RawSocket, id);
        for (const reader of readers.filter((each) => levels.has(each) && !each.disabled)) {
          const is = (event: string, heard: { documentId: string; seq: number }): boolean =>
            event === 'document:update' && heard.documentId === id && heard.seq === seq;
          expected.push({ reader, what: 'an edit', is });
        }
      }
      await eventually(() => {
        const missing = expected.filter(({ reader, is }) => {
          const received = reader.socket.received.slice(since.get(reader));
          return !received.some(({ event, payload }) => is(event, payload as never));
        });
        expect(missing.map(({ reader, what }) => `${reader.user.name} misses ${what}`)).toEqual([]);
        for (const talk of talks) {
          for (const reader of readers.filter((each) => !each.disabled && mayHear(each, talk))) {
            const stream = reader.streams.get(talk.replyId);
            expect(stream && stream.events > (streamed.get(stream) ?? 0), `the stream of ${reader.user.name}`).toBe(
              true,
            );
          }
        }
      });
      expect(leaks()).toEqual([]);
    };

    for (const role of ['admin', 'power', 'regular', 'guest'] as const) {
      const user = await system.app.registerUser({ role, name: `${role}-${seed}` });
      const app = pick(apps);
      const socket = await open({ app, accessToken: user.accessToken });
      readers.push({ ...user, role, app, socket, disabled: false, from: 0, streams: new Map() });
    }
    for (let count = 0; count < 2; count += 1) {
      const { id } = await call('POST', '/conversations', { title: 'Talk', knowledge: 'off' });
      const first = await call('POST', `/conversations/${id}/messages`, { content: 'first', reply: false });
      const asked = await call('POST', `/conversations/${id}/messages`, { content: 'Tell me a lot.', reply: true });
      for (const message of [first.message, asked.message, asked.reply]) note(message);
      const [firstId, replyId] = [first.message.id, asked.reply.id];
      talks.push({ id, firstId, replyId, jobId: asked.jobId, readsFrom: new Map() });
      papers.push({ id: await makeDocument(system.app, keeper), levels: new Map() });
    }
    for (const { id } of papers) editors.set(id, await connectRaw(system.app.url, keeper.accessToken));

    const steps: Record<string, (reader: Reader) => Promise<void>> = {
      async addMember(reader) {
        const talk = pick(talks);
        if (talk.readsFrom.has(reader) || reader.disabled) return;
        const history = pick(['all', 'from-now']);
        await call('PUT', `/conversations/${talk.id}/members/${reader.user.id}`, { history });
        // The newest message that the test has made is the newest that there is.
        const newest = (await call('GET', `/conversations/${talk.id}/messages?limit=1`)).items[0];
        talk.readsFrom.set(reader, history === 'all' ? 0 : newest.seq);
      },
      async removeMember(reader) {
        const talk = pick(talks);
        if (!talk.readsFrom.has(reader)) return;
        await call('DELETE', `/conversations/${talk.id}/members/${reader.user.id}`);
        talk.readsFrom.delete(reader);
      },
      async share(reader) {
        const { id, levels } = pick(papers);
        if (reader.disabled) return;
        const level = pick(['view', 'edit'] as const);
        await call('PUT', `/documents/${id}/access/${reader.user.id}`, { level });
        levels.set(reader, level);
      },
      async unshare(reader) {
        const { id, levels } = pick(papers);
        if (!levels.has(reader)) return;
        await call('DELETE', `/documents/${id}/access/${reader.user.id}`);
        levels.delete(reader);
      },
      async changeRole(reader) {
        const role = pick(['admin', 'power', 'regular', 'guest'] as const);
        await call('PATCH', `/users/${reader.user.id}`, { role });
        reader.role = role;
      },
      async disable(reader) {
        if (reader.disabled || random(2) === 0) return;
        await call('PATCH', `/users/${reader.user.id}`, { disabled: true });
        reader.disabled = true;
      },
      async enable(reader) {
        if (!reader.disabled) return;
        await call('PATCH', `/users/${reader.user.id}`, { disabled: false });
        const { email, password } = reader;
        const { body } = await reader.app.request('POST', '/auth/login', { body: { email, password } });
        Object.assign(reader, { accessToken: body.accessToken, disabled: false, from: 0 });
        reader.socket.close();
        reader.socket = await open(reader);
        reader.streams.clear();
      },
    };

    for (const reader of readers) {
      await change(reader, () => steps.addMember?.(reader) as Promise<void>);
      await change(reader, () => steps.share?.(reader) as Promise<void>);
    }
    await probe();
    for (let step = 0; step < 30; step += 1) {
      const reader = pick(readers);
      await change(reader, () => steps[pick(Object.keys(steps))]?.(reader) as Promise<void>);
      await probe();
    }
    for (const { socket, streams } of readers) {
      socket.close();
      for (const { reader } of streams.values()) reader.abort();
    }
    for (const socket of editors.values()) socket.close();
  });
});
