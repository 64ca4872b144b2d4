import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AppError } from '../errors.js';
import { render } from './render.js';
import type { RenderTask } from './render-thread.js';

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
 * A document as a file. The loop of the process is not held up by it, whatever the text is.
 *
 * @throws AppError `payload_too_large` for a text that cannot be rendered in {@link limitMs}.
 */
export async function exportDocument(
  text: { title: string; content: string },
  format: ExportFormat,
): Promise<{ contentType: string; body: string }> {
  const contentType = contentTypes[format];
  if (format === 'md') return { contentType, body: text.content };
  const short = text.content.length <= shortLength;
  return { contentType, body: short ? render(text, format) : await inTurn(() => renderApart({ text, format })) };
}

let last: Promise<unknown> = Promise.resolve();

/** One thread at a time: each takes a core. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}

async function renderApart(task: RenderTask): Promise<string> {
  const thread = new Worker(entry(), { workerData: task });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const tooLong = 'The text takes too long to be rendered. Export it as Markdown.';
      timer = setTimeout(() => reject(new AppError('payload_too_large', tooLong)), limitMs);
      thread.once('message', resolve);
      thread.once('error', reject);
      thread.once('exit', (code) => reject(new Error(`rendering ended with exit code ${code}`)));
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}

/** Compiled beside this file; when the sources themselves are run (tests), in the build of the project. */
function entry(): string {
  const beside = fileURLToPath(new URL('./render-thread.js', import.meta.url));
  return existsSync(beside)
    ? beside
    : fileURLToPath(new URL('../../dist/shared/documents/render-thread.js', import.meta.url));
}

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
