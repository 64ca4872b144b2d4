import { describe, it, vi } from 'vitest';
import { postMessage } from '../../shared/conversations/post-message.js';
import { faultsOf, hearReplies } from '../support/heard.js';
import { startMortalWorker } from '../support/mortal-worker.js';
import { startTestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 60_000 });

const words = Array.from({ length: 24 }, (_, index) => `word${index}`).join(' ');

/**
 * What the only worker does about a reply, from the dispatch of its job to the end; after each of these it is killed.
 * Inside a transaction nothing counts but the commit.
 */
const steps: { step: string; doneBy: number }[] = [
  // dispatch
  { step: 'COMMIT unblock-jobs', doneBy: 1 },
  { step: 'COMMIT admit-jobs', doneBy: 1 },
  { step: 'add', doneBy: 1 },
  // claim
  { step: 'claim-job', doneBy: 2 },
  { step: 'begin-reply', doneBy: 2 },
  { step: 'read-history', doneBy: 2 },
  // stream
  { step: 'append started', doneBy: 2 },
  { step: 'append delta 1', doneBy: 2 },
  { step: 'append delta 3', doneBy: 2 },
  // save
  { step: 'membership-is-still', doneBy: 2 },
  { step: 'save-reply', doneBy: 2 },
  { step: 'COMMIT save-reply', doneBy: 1 },
  // announce
  { step: 'append end', doneBy: 1 },
  // finish
  { step: 'finish-job', doneBy: 1 },
  { step: 'emit job:done', doneBy: 1 },
];

describe.concurrent('a worker that is killed', () => {
  it.for(steps)('right after "$step": the reply ends done, once', async ({ step, doneBy }, { expect }) => {
    const system = await startTestSystem({ workers: 0, modelApi: { rate: 15 } });
    const { database } = system.app.ctx;
    const heard = await hearReplies(system.redisUrl);
    // The upkeep has steps of the same names: it has just been done.
    await database.query(
      `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, state)
       SELECT gen_random_uuid(), 'clean', 'upkeep', '{}', nobody, nobody, 'done'
       FROM (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS nobody) AS system`,
    );
    const mortal = await startMortalWorker(system, ({ name, when }) => when === 'after' && name === step);
    const { user, conversationId } = await system.openConversation();
    // Past the API, which would dispatch the job by itself.
    const content = `[[stand-in: echo]] ${words}`;
    const { reply, jobId } = await postMessage(database, { conversationId, authorId: user.user.id, content });
    const replyId = reply?.id ?? '';
    await mortal.died;

    const survivor = await system.startWorker();
    const ended = await system.ended(user, replyId);
    expect(ended).toMatchObject({ state: 'done', content: words, attempt: doneBy, error: null });
    await eventually(() => expect(faultsOf(heard.of(replyId))).toEqual([]));
    const job = () => database.query('SELECT state, lease_until FROM jobs WHERE id = $1', [jobId]);
    await eventually(async () => expect((await job()).rows).toEqual([{ state: 'done', lease_until: null }]));
    const messages = await database.query('SELECT role FROM messages WHERE conversation_id = $1', [conversationId]);
    expect(messages.rows).toHaveLength(2);
    const usage = await database.query<{ attempt: number }>('SELECT attempt FROM usage WHERE message_id = $1', [
      replyId,
    ]);
    expect(usage.rows).toEqual([{ attempt: doneBy }]);

    await mortal.bury();
    await survivor.stop();
    heard.close();
    await system.close();
  });
});
