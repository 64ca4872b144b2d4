import { ModelError, type Turn } from '../../shared/adapters/language-model/model.js';
import type { Outcome } from '../../shared/backlog/claim.js';
import { JobStopped } from '../../shared/backlog/leases.js';
import { readHistory } from '../../shared/conversations/history.js';
import { fitTurns, PromptTooLong, searchIsAway, systemPrompt, toTurns } from '../../shared/conversations/prompt.js';
import { beginReply, type ReplyTask } from '../../shared/conversations/reply.js';
import { ClaimLost } from '../../shared/errors.js';
import { createReplyWriter } from '../../shared/realtime/reply-writer.js';
import type { WorkerContext } from '../context.js';
import type { JobHandler, JobRun } from '../handler.js';
import { noteUsage } from './note-usage.js';
import { announceEnd, endReply, endFromLog, spentOn, type Written } from './reply-end.js';
import { readersAreSame, ReadersChanged, startAgain } from './reply-readers.js';
import { findSources, noteSources, type ReplySources, search, toldOf, toSources } from './reply-sources.js';
import { searchTool, tokensOf } from './search-tool.js';
import { writeAnswer } from './write-answer.js';

type Run = JobRun<'reply-to-message'>;

/**
 * Writes a reply: read the history, stream the model into the reply's log, save once, announce. Whatever
 * stops it on the way, a later attempt begins the text again; one that finds it saved only announces it.
 */
export const replyToMessage: JobHandler<'reply-to-message'> = {
  async run(ctx, job) {
    if (job.cancelRequested) return endFromLog(ctx, job, { state: 'cancelled' });
    const task = await beginReply(ctx.database, job.payload.messageId, job);
    if (!task) return announceEnd(ctx, job);
    return writeReply(ctx, job, task);
  },
  // One that was saved, and whose end could not be told, has not failed.
  giveUp: (ctx, job, error) => endFromLog(ctx, job, { state: 'failed', error }),
};

/** How many characters of history are read for each token that the model takes: enough for any language. */
const charactersPerToken = 6;

/** Tokens kept free for what the estimate and the service count differently, such as what tools take by themselves. */
const marginTokens = 512;

async function writeReply(ctx: WorkerContext, job: Run, task: ReplyTask): Promise<Outcome> {
  const { reply } = task;
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  const writer = createReplyWriter({
    log: ctx.replyLog,
    address: { messageId: reply.id, conversationId: reply.conversationId, messageSeq: reply.seq },
    attempt: job.attempt,
    guard: () => job.guard(ctx.database),
    signal,
    onLost: (error) => stop.abort(error),
    logger: job.logger,
  });
  const written: Written = { text: '', model: task.model ?? ctx.config.model.model, usage: null };
  let firstDelta = true;
  let sources: ReplySources | null = null;
  const unwatch = ctx.readerWatch.watch({
    conversationId: reply.conversationId,
    documentIds: () => sources?.passages.flatMap(({ documentId }) => documentId ?? []) ?? [],
    look() {
      readersAreSame(ctx.database, task, sources?.passages ?? []).then(
        (same) => same || stop.abort(new ReadersChanged()),
        (error: unknown) => job.logger.debug({ err: error }, 'who reads a reply is looked at when it ends'),
      );
    },
  });
  try {
    const prompt = await makePrompt(ctx, job, task, written.model, signal);
    const found = prompt.sources;
    sources = found;
    const result = await writeAnswer({
      model: ctx.model,
      request: prompt.request,
      sources: found,
      written,
      onText(text) {
        if (firstDelta) ctx.metrics.firstDelta((Date.now() - reply.createdAt.getTime()) / 1000);
        firstDelta = false;
        writer.push(text);
      },
      search: (query) => search(ctx, job, task, query, signal),
      onPassages: () => noteSources(ctx, job, task, found),
      maxPrompt: ctx.config.model.contextTokens - ctx.config.model.maxTokens - marginTokens,
      signal,
    });
    await writer.drain();
    refuseEmpty(written.text, result.stopReason);
    const metadata = {
      stopReason: result.stopReason,
      ...(prompt.omitted > 0 ? { omittedMessages: prompt.omitted } : {}),
      ...toldOf(found),
    };
    return await endReply(ctx, job, { task, written, sources: found, metadata, state: 'done', seq: writer.nextSeq() });
  } catch (error) {
    if (error instanceof ClaimLost) throw error;
    await noteUsage(ctx, job, spentOn(task, written));
    if (error instanceof JobStopped && error.reason === 'shutdown') throw error;
    if (error instanceof ReadersChanged) return startAgain(job);
    // What was said so far is kept, also of an attempt that failed: after the last one it is all there is.
    await writer.drain();
    if (error instanceof JobStopped) {
      return await endReply(ctx, job, {
        task,
        written,
        sources,
        metadata: null,
        state: 'cancelled',
        seq: writer.nextSeq(),
      });
    }
    throw error;
  } finally {
    unwatch();
    await writer.stop();
    if (written.usage) ctx.metrics.tokens(written.model, written.usage);
  }
}

async function makePrompt(ctx: WorkerContext, job: Run, task: ReplyTask, model: string, signal: AbortSignal) {
  const { contextTokens, maxTokens } = ctx.config.model;
  const system = systemPrompt(task.systemPrompt, task.knowledge);
  const tools = task.knowledge ? [searchTool] : [];
  const history = await readHistory(ctx.database, {
    conversationId: task.reply.conversationId,
    triggerSeq: task.triggerSeq,
    replySeq: task.reply.seq,
    maxCharacters: contextTokens * charactersPerToken,
  });
  if (history.messages.at(-1)?.seq !== task.triggerSeq) {
    throw new ModelError('message_gone', 'The message to reply to was deleted, or not everybody here may read it.', {
      transient: false,
      ofRequest: true,
    });
  }
  const found = await findSources(ctx, job, task, history.messages.at(-1)?.content ?? '', signal);
  const sources = toSources(found.passages);
  try {
    const limit = contextTokens - maxTokens - marginTokens - tokensOf(...found.passages);
    const turns = toTurns(history.messages);
    const total = history.left + history.messages.length;
    const count = (some: Turn[]) => ctx.model.countTokens({ model, system, tools, turns: some }, signal);
    const fitted = await fitTurns(system + JSON.stringify(tools), turns, limit, count, total - turns.length);
    const note = found.outcome === 'unavailable' ? searchIsAway : undefined;
    const request = { model, system, note, tools, turns: fitted.turns, sources };
    return { request, omitted: total - fitted.turns.length, sources: found };
  } catch (error) {
    if (!(error instanceof PromptTooLong)) throw error;
    throw new ModelError('prompt_too_long', error.message, { transient: false, ofRequest: true });
  }
}

/** A reply without a word is told as what it is, instead of an empty bubble. */
function refuseEmpty(text: string, stopReason: string): void {
  if (stopReason === 'refusal')
    throw new ModelError('refused', 'Claude declined to answer this.', { transient: false, ofRequest: true });
  if (!/\S/.test(text))
    throw new ModelError('empty_reply', 'Claude ended its answer without a word.', { transient: false });
}
