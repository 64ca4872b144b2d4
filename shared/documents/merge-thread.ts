import { parentPort, workerData } from 'node:worker_threads';
import * as Y from 'yjs';
import { AppError } from '../errors.js';
import { maxMergeSteps, maxTriedSteps, triedPart } from './limits.js';
import { applyAll } from './log.js';

/** The log of a document, and the update that is to come behind it. */
export type MergeTask = { log: Uint8Array[]; update: Uint8Array };

/** `early`: it goes on with something that the log does not have. */
export type MergeAnswer = 'fine' | 'tangled' | 'early';

async function answer({ log, update }: MergeTask): Promise<MergeAnswer> {
  const doc = new Y.Doc();
  try {
    const effort = { left: maxMergeSteps };
    await applyAll(doc, log, effort);
    // What has been let in already is not held against who comes next, as long as it can be read, and can be after this.
    await applyAll(doc, [update], { left: Math.min(maxTriedSteps, effort.left * triedPart) });
  } catch (error) {
    if (error instanceof AppError) return 'tangled';
    throw error;
  }
  return doc.store.pendingStructs || doc.store.pendingDs ? 'early' : 'fine';
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- of a thread, not of a window
parentPort?.postMessage(await answer(workerData as MergeTask));
