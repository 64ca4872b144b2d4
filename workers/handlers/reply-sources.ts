import type { Source } from '../../shared/adapters/language-model/model.js';
import { listReaders } from '../../shared/conversations/readers.js';
import { noteGrounds, type ReplyTask } from '../../shared/conversations/reply.js';
import { JobFailure } from '../../shared/errors.js';
import { untilAborted } from '../../shared/lifecycle.js';
import type { ClaimedCitation } from '../../shared/knowledge/citations.js';
import { wholeCharacter } from '../../shared/knowledge/extraction/cut-text.js';
import { type KnowledgeHit, passageName, passageRef } from '../../shared/knowledge/hit.js';
import { retrievePassages } from '../../shared/knowledge/retrieve.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';

/** What a search has brought. */
export type Search = {
  passages: KnowledgeHit[];
  outcome: 'found' | 'nothing-found' | 'unavailable';
  /** It went by words alone, because the question could not be embedded. */
  wordsAlone: boolean;
};

/** What a reply may draw on. */
export type ReplySources = {
  /** In the order in which the model counts them. */
  passages: KnowledgeHit[];
  cited: ClaimedCitation[];
  /** How the search ahead of the answer ended. */
  outcome: 'off' | Search['outcome'];
  /** What the model has looked up by itself, and how many passages it was given for that. */
  searches: { query: string; outcome: Search['outcome']; passages: number }[];
  /** How many of the passages the model has looked up by itself. */
  fromTool: number;
  /** One search at least went by words alone. */
  wordsAlone: boolean;
};

/** Notes what the model is about to be given: the words that follow may draw on it. */
export async function noteSources(
  ctx: WorkerContext,
  job: Pick<JobRun, 'attempt'>,
  task: ReplyTask,
  sources: ReplySources,
) {
  if (sources.passages.length === 0) return;
  const passages = sources.passages.map(passageRef);
  await noteGrounds(ctx.database, { messageId: task.reply.id, attempt: job.attempt, passages });
}

/** In milliseconds: so long somebody who waits for a reply waits for one search. */
const maxWaitMs = 5_000;

/** Finds passages for a reply before it is written, unless its conversation does not look things up. */
export async function findSources(
  ctx: WorkerContext,
  job: Pick<JobRun, 'logger'>,
  task: ReplyTask,
  question: string,
  signal: AbortSignal,
): Promise<ReplySources> {
  const none = { cited: [], searches: [], fromTool: 0 };
  if (!task.knowledge) return { ...none, passages: [], outcome: 'off', wordsAlone: false };
  return { ...none, ...(await search(ctx, job, task, question, signal)) };
}

/**
 * Looks something up with the rights that every member of the conversation has at this moment. While the search is
 * away the reply is written without: somebody waits for it, and its metadata says so.
 *
 * @throws the signal's reason, at once.
 */
export async function search(
  ctx: WorkerContext,
  job: Pick<JobRun, 'logger'>,
  task: ReplyTask,
  question: string,
  signal: AbortSignal,
): Promise<Search> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(maxWaitMs)]);
  try {
    const readers = await listReaders(ctx.database, task.reply.conversationId);
    const { passages, mode } = await untilAborted(retrievePassages(ctx, readers, question, limit), limit);
    return { passages, outcome: passages.length > 0 ? 'found' : 'nothing-found', wordsAlone: mode === 'sparse' };
  } catch (error) {
    signal.throwIfAborted();
    // Without Postgres there is no reply either; all else that may be away is only missed.
    if (!(error instanceof JobFailure) && !limit.aborted) throw error;
    job.logger.warn({ err: error }, 'a reply is written without the knowledge store');
    return { passages: [], outcome: 'unavailable', wordsAlone: false };
  }
}

/** What the metadata of a reply says about where it is from; nothing where nothing is looked up. */
export function toldOf({ outcome, searches, wordsAlone }: ReplySources): Record<string, unknown> {
  if (outcome === 'off') return {};
  const outcomes = [outcome, ...searches.map((each) => each.outcome)];
  const best = (['found', 'unavailable'] as const).find((each) => outcomes.includes(each)) ?? 'nothing-found';
  return {
    knowledge: best,
    ...(wordsAlone ? { searchMode: 'sparse' } : {}),
    ...(searches.length > 0 ? { searches } : {}),
  };
}

/** In UTF-16 units: a title and all the headings above a passage may have 2,000. */
const maxTitle = 500;

/** The passages as the model is shown them, in pieces of a sentence or two: the least that it cites. */
export function toSources(passages: readonly KnowledgeHit[]): Source[] {
  return passages.map((hit) => {
    const { title, headingPath, page, sheet, slide, text } = hit;
    const place = page ? [`page ${page}`] : slide ? [`slide ${slide}`] : sheet ? [sheet] : [];
    const path = [title, ...headingPath, ...place].join(' › ');
    return {
      source: passageName(hit),
      // The service refuses a whole request that has half of a character in it.
      title: path.slice(0, wholeCharacter(path, maxTitle)),
      pieces: piecesOf(text),
    };
  });
}

const minPiece = 60;

/** Sentences and lines, short ones joined; together they are the text, but for white space around them. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (const sentence of text.match(/[^\n.!?。]+(?:[.!?。](?!\s)[^\n.!?。]*)*[.!?。]*\s*|\s+|[.!?。]+\s*/gu) ?? [
    text,
  ]) {
    const last = pieces.at(-1);
    if (last !== undefined && last.trim().length < minPiece) pieces[pieces.length - 1] = last + sentence;
    else pieces.push(sentence);
  }
  return pieces.filter((piece) => piece.trim() !== '');
}
