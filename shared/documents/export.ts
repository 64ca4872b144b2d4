import { AppError } from '../errors.js';
import { createTurns } from '../turns.js';
import { render } from './render.js';
import type { RenderTask } from './render-thread.js';
import { runThread } from './run-thread.js';

/** Formats that a document can be had in. */
export const exportFormats = ['md', 'html', 'txt'] as const;
export type ExportFormat = (typeof exportFormats)[number];

const contentTypes: Record<ExportFormat, string> = {
  md: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
};

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
): Promise<{ contentType: string; body: string }> {
  const contentType = contentTypes[format];
  if (format === 'md') return { contentType, body: text.content };
  if (text.content.length <= shortLength) return { contentType, body: render(text, format) };
  const task: RenderTask = { text, format };
  const body = await turns.take(userId, () => runThread<string>('render-thread.js', task, { limitMs, tooLong }));
  return { contentType, body };
}

/** One thread at a time: each takes a core. */
const turns = createTurns();

const tooLong = (): AppError =>
  new AppError('payload_too_large', 'The text takes too long to be rendered. Export it as Markdown.');

/** A name for the file, safe in a header: what ASCII cannot say is told in the second form. */
export function dispositionOf(title: string, format: ExportFormat): string {
  // Through bytes, so that half of a surrogate pair is no half any more.
  const name = Buffer.from(`${title.replaceAll(/[/\\:*?"<>|]/g, '-')}.${format}`).toString();
  const ascii = name.replaceAll(/[^\x20-\x7e]/g, '_').replaceAll(/["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
