import { AppError } from '../errors.js';
import { createTurns } from '../turns.js';
import { render } from './render.js';
import type { RenderTask } from './render-thread.js';
import { runThread } from './run-thread.js';

/** Formats that a document can be had in. */
export const exportFormats = ['md', 'html', 'txt'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** What each of them is; in UTF-8. */
export const exportTypes = { md: 'text/markdown', html: 'text/html', txt: 'text/plain' } as const;

/** Characters that are rendered at once, whatever they are: of 20,000 some take 180 ms, with the square of the length. */
const shortLength = 5_000;

/** A megabyte of what people write takes one second at most. */
const limitMs = 5_000;

/**
 * A document as a file. The loop of the process is not held up by it, whatever the text is, and nobody waits for more
 * than one text of each other user.
 *
 * @throws AppError `payload_too_large` for a text that cannot be rendered in {@link limitMs}.
 */
export async function exportDocument(
  text: { title: string; content: string },
  format: ExportFormat,
  userId: string,
): Promise<string> {
  if (format === 'md') return text.content;
  if (text.content.length <= shortLength) return render(text, format);
  const task: RenderTask = { text, format };
  return turns.take(userId, () => runThread<string>('render-thread.js', task, { limitMs, tooLong }));
}

/** One thread at a time: each takes a core. */
const turns = createTurns();

const tooLong = (): AppError =>
  new AppError('payload_too_large', 'The text takes too long to be rendered. Export it as Markdown.');
