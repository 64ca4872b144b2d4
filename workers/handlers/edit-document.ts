import * as Y from 'yjs';
import { ModelError, type TokenUsage } from '../../shared/adapters/language-model/model.js';
import type { Outcome } from '../../shared/backlog/claim.js';
import { JobStopped } from '../../shared/backlog/leases.js';
import { editSystemPrompt, editTurn, passageFrom } from '../../shared/documents/edit-prompt.js';
import { makeHunks } from '../../shared/documents/hunks.js';
import { contentOf } from '../../shared/documents/log.js';
import {
  beginSuggestion,
  endSuggestion,
  type SuggestionEnd,
  type SuggestionTask,
} from '../../shared/documents/write-suggestion.js';
import { rooms } from '../../shared/realtime/events.js';
import type { WorkerContext } from '../context.js';
import type { JobHandler, JobRun } from '../handler.js';
import { noteUsage } from './note-usage.js';

type Run = JobRun<'edit-document'>;
type Ending = Omit<SuggestionEnd, 'id'>;

const cancelled: Ending = { state: 'cancelled', hunks: [], model: null, error: null };

/** Deltas are gathered this long: who watches reads, and does not count them. In milliseconds. */
const gatherMs = 80;

/**
 * Claude's edit of a document: the rewrite is streamed to who has the document open, and stored as a suggestion. The
 * text itself is not touched; people accept it, whatever they have typed meanwhile.
 */
export const editDocument: JobHandler<'edit-document'> = {
  async run(ctx, job) {
    const { suggestionId } = job.payload;
    if (job.cancelRequested) return end(ctx, job, cancelled);
    const task = await beginSuggestion(ctx.database, suggestionId, job.attempt);
    if (!task) {
      // Ready from an attempt before, or gone: then this finds nothing. Or who asked may not edit any more.
      await end(ctx, job, cancelled);
      return { state: 'done' };
    }
    try {
      return await write(ctx, job, task);
    } catch (error) {
      if (!(error instanceof JobStopped) || error.reason !== 'cancelled') throw error;
      return end(ctx, job, cancelled);
    }
  },
  async giveUp(ctx, job, error) {
    await end(ctx, job, { state: 'failed', hunks: [], model: null, error });
  },
};

async function write(ctx: WorkerContext, job: Run, task: SuggestionTask): Promise<Outcome> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, task.baseState);
  const content = contentOf(doc).toString();
  const { model } = ctx.config.model;
  const stream = createDeltas(ctx, task, job.attempt);
  let answer = '';
  let usage: TokenUsage | null = null;
  try {
    const request = {
      model,
      system: editSystemPrompt,
      turns: [{ role: 'user' as const, content: editTurn({ ...task, content }) }],
    };
    const listener = {
      onText(text: string) {
        answer += text;
        stream.push(text);
      },
      onUsage: (used: TokenUsage) => void (usage = used),
    };
    const result = await ctx.model.stream(request, listener, job.signal);
    refuseUseless(answer, result.stopReason);
    const original = content.slice(task.start, task.end);
    const hunks = makeHunks(doc, task, passageFrom(answer, original));
    return await end(ctx, job, { state: 'ready', hunks, model: result.model, error: null });
  } finally {
    stream.stop();
    if (usage) ctx.metrics.tokens(model, usage);
    await noteUsage(ctx, job, { conversationId: null, messageId: task.id, model, usage });
  }
}

/** Half a rewrite would delete the other half: it is no suggestion. */
function refuseUseless(answer: string, stopReason: string): void {
  const told = { transient: false, ofRequest: true };
  if (stopReason === 'refusal') throw new ModelError('refused', 'Claude declined to make this edit.', told);
  if (stopReason === 'max_tokens') {
    throw new ModelError('edit_too_long', 'The rewrite became too long. Choose a shorter passage.', told);
  }
  if (!/\S/.test(answer))
    throw new ModelError('empty_reply', 'Claude ended its answer without a word.', { transient: false });
}

/** Tells the room what Claude writes, in order, a few times a second. */
function createDeltas(ctx: WorkerContext, { id, documentId }: SuggestionTask, attempt: number) {
  const room = rooms.document(documentId);
  const about = { documentId, suggestionId: id, attempt };
  let gathered = '';
  let seq = 0;
  let timer: NodeJS.Timeout | undefined;
  void ctx.publisher.emit(room, 'suggestion:started', about);

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered === '') return;
    seq += 1;
    void ctx.publisher.emit(room, 'suggestion:delta', { ...about, seq, text: gathered });
    gathered = '';
  }

  return {
    push(text: string) {
      gathered += text;
      timer ??= setTimeout(flush, gatherMs);
    },
    stop: flush,
  };
}

async function end(ctx: WorkerContext, job: Run, how: Ending): Promise<Outcome> {
  const { suggestionId } = job.payload;
  const ended = await ctx.database.transaction(async (tx) => {
    await job.guard(tx);
    return endSuggestion(tx, { id: suggestionId, ...how });
  });
  if (ended) {
    const { documentId, jobId } = ended;
    const room = rooms.document(documentId);
    if (ended.state === 'ready') await ctx.publisher.emit(room, 'suggestion:ready', { documentId, suggestionId });
    else await ctx.publisher.emit(room, 'suggestion:failed', { documentId, suggestionId, jobId });
  }
  return { state: how.state === 'cancelled' ? 'cancelled' : 'done' };
}
