import type { Source } from '../../shared/adapters/language-model/model.js';
import { listReaders } from '../../shared/conversations/readers.js';
import type { ReplyTask } from '../../shared/conversations/reply.js';
import { JobFailure } from '../../shared/errors.js';
import { withTimeout } from '../../shared/lifecycle.js';
import type { ClaimedCitation } from '../../shared/knowledge/citations.js';
import type { KnowledgeHit } from '../../shared/knowledge/hit.js';
import { retrievePassages } from '../../shared/knowledge/retrieve.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';

/** What a reply may draw on. */
export type ReplySources = {
  passages: KnowledgeHit[];
  cited: ClaimedCitation[];
  /** What the reply's metadata says about it; nothing when the conversation does not look things up. */
  outcome: 'off' | 'found' | 'nothing-found' | 'unavailable';
};

/** In milliseconds: so long somebody who waits for a reply waits for the search. */
const maxWaitMs = 5_000;

/**
 * Finds passages for a reply, with the rights that every member of its conversation has. While the search is away
 * the reply is written without: somebody waits for it, and its metadata says so.
 */
export async function findSources(
  ctx: WorkerContext,
  job: Pick<JobRun, 'logger'>,
  task: ReplyTask,
  question: string,
  signal: AbortSignal,
): Promise<ReplySources> {
  if (!task.knowledge) return { passages: [], cited: [], outcome: 'off' };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(maxWaitMs)]);
  try {
    const readers = await listReaders(ctx.database, task.reply.conversationId);
    const passages = await withTimeout(retrievePassages(ctx, readers, question, limit), maxWaitMs, 'the search');
    return { passages, cited: [], outcome: passages.length > 0 ? 'found' : 'nothing-found' };
  } catch (error) {
    signal.throwIfAborted();
    // Without Postgres there is no reply either; all else that may be away is only missed.
    if (!(error instanceof JobFailure) && !limit.aborted) throw error;
    job.logger.warn({ err: error }, 'a reply is written without the knowledge store');
    return { passages: [], cited: [], outcome: 'unavailable' };
  }
}

/** The passages as the model is shown them, in pieces of a sentence or two: the least that it cites. */
export function toSources(passages: readonly KnowledgeHit[]): Source[] {
  return passages.map(({ entryId, versionId, chunk, title, headingPath, page, sheet, slide, text }) => {
    const place = page ? [`page ${page}`] : slide ? [`slide ${slide}`] : sheet ? [sheet] : [];
    return {
      source: `knowledge:${entryId}/${versionId}/${chunk}`,
      title: [title, ...headingPath, ...place].join(' › ').slice(0, 500),
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
