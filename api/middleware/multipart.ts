import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { parsePart } from './validate.js';

/** Numbers of what a form may have beside its file. */
const limits = { files: 1, fields: 30, parts: 31, fieldNameSize: 100, fieldSize: 64 * 1024, headerPairs: 50 };

/** In milliseconds. */
const lingerMs = 2_000;

/** What was sent in a form: its fields, and what became of its file. */
type Form<Fields extends z.ZodType, Stored> = { fields: z.output<Fields>; fileName: string; file: Stored };

/**
 * Reads a form as it comes in. The file is handed to `store` while it arrives; nobody holds it in memory.
 *
 * @param store is given the bytes, and a signal that is aborted when the client goes away. What it has stored is
 * its caller's to remove when this throws: `onStored` tells.
 * @throws AppError `unsupported_media_type`, `invalid_request`; what `store` throws.
 */
export async function readForm<Fields extends z.ZodType, Stored>(
  { req, res }: { req: Request; res: Response },
  schema: Fields,
  store: (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<Stored>,
  onStored: (file: Stored) => void,
): Promise<Form<Fields, Stored>> {
  // Nothing more comes of such a request, not even its end.
  if (req.destroyed && !req.complete) throw brokenOff();
  const busboy = openForm(req);
  const gone = new AbortController();
  const onClose = (): void => {
    if (req.complete) return;
    const error = brokenOff();
    gone.abort(error);
    busboy.destroy(error);
  };
  req.once('close', onClose);
  let storing: Promise<Stored> | undefined;
  const keep = async (bytes: AsyncIterable<Uint8Array>): Promise<Stored> => {
    const stored = await store(bytes, gone.signal);
    onStored(stored);
    return stored;
  };
  try {
    const { fields, fileName, file } = await collect(req, busboy, (bytes) => (storing = keep(bytes)));
    return { fields: parsePart(schema, 'body', fields) as z.output<Fields>, fileName, file };
  } catch (error) {
    req.unpipe(busboy);
    req.resume();
    const reason: unknown = gone.signal.aborted ? gone.signal.reason : error;
    // A form that is refused for something else may have its file just being stored: it ends now, or is told of.
    gone.abort(reason);
    busboy.destroy();
    await storing?.catch(() => undefined);
    // Who is still sending when the connection closes hears of that and not of the reason. The end of what is under way
    // is waited for, but not for long.
    if (!req.complete) await Promise.race([finished(req).catch(() => undefined), delay(lingerMs)]);
    if (!req.complete) res.setHeader('connection', 'close');
    throw reason;
  } finally {
    req.off('close', onClose);
  }
}

const brokenOff = (): AppError => new AppError('invalid_request', 'The upload was broken off.');

function openForm(req: Request): BusboyInstance {
  const type = req.headers['content-type'];
  if (!type || !/^multipart\/form-data\b/i.test(type)) {
    throw new AppError('unsupported_media_type', 'Send the file as multipart/form-data.');
  }
  try {
    return new Busboy({ headers: { ...req.headers, 'content-type': type }, limits });
  } catch (error) {
    throw new AppError('invalid_request', 'The form cannot be read: its Content-Type has no boundary.', {
      cause: error,
    });
  }
}

type Collected<Stored> = { fields: Record<string, string | string[]>; fileName: string; file: Stored };

function collect<Stored>(
  req: Request,
  busboy: BusboyInstance,
  store: (bytes: AsyncIterable<Uint8Array>) => Promise<Stored>,
): Promise<Collected<Stored>> {
  const fields = new Map<string, string | string[]>();
  let upload: { name: string; stored: Promise<Stored> } | undefined;

  return new Promise((resolve, reject) => {
    const refuse = (message: string, cause?: unknown): void =>
      reject(new AppError('invalid_request', message, { cause }));
    busboy.on('file', (field, stream, name) => {
      // Told when the form ends in the middle of the file. Without a listener that would end the process, and who
      // begins to read only after that has to find the stream destroyed, or would wait for ever.
      let cut: Error | undefined;
      stream.on('error', (error: Error) => {
        cut ??= error;
        stream.destroy(error);
      });
      if (field !== 'file' || upload) {
        stream.resume();
        refuse(`Send one file, in the field "file"; there is one in "${field.slice(0, 100)}".`);
        return;
      }
      const stored = store(stream);
      // When it fails the rest of the stream is let through, so that the form can come to its end.
      stored.catch((error: Error) => {
        // One that was refused or could not be stored is cut too, because nobody reads on: it keeps its own reason.
        if (cut && error === cut) refuse('The form ends in the middle of the file.', cut);
        else reject(error);
        stream.resume();
      });
      upload = { name: cleanName(name), stored };
    });
    busboy.on('field', (field, value, _nameCut, valueCut) => {
      const about = `The field "${field.slice(0, 100)}"`;
      if (valueCut) refuse(`${about} is too long.`);
      // What stands for bytes that are no UTF-8, which the parser has replaced.
      if (value.includes('\ufffd')) refuse(`${about} is not valid UTF-8.`);
      const before = fields.get(field);
      fields.set(field, before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]);
    });
    for (const event of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
      busboy.on(event, () => refuse('The form has more fields or files than are taken.'));
    }
    busboy.on('error', (error) =>
      error instanceof AppError ? reject(error) : refuse('The form cannot be read.', error),
    );
    busboy.on('finish', () => {
      if (!upload) {
        refuse('Send a file in the field "file".');
        return;
      }
      const { name, stored } = upload;
      stored.then((file) => resolve({ fields: Object.fromEntries(fields), fileName: name, file }), reject);
    });
    req.pipe(busboy);
  });
}

const maxNameLength = 255;

/** What browsers write in the names of files for the characters that would end a name (HTML standard, form data). */
const escapes: Record<string, string> = { '%22': '"', '%0D': '\r', '%0A': '\n' };

/**
 * A name to show and to save under: the last part of a path, without what no file system takes, and without what
 * turns the direction of writing around: `exe.txt` can be made to look like `txt.exe`. Accents are put together with
 * their letters, which macOS keeps apart: the name becomes a title, which is searched by what people type.
 */
function cleanName(name: string | undefined): string {
  // Nothing else is escaped there, not even the percent sign: `100%25.txt` is the name of a file.
  const told = (name ?? '').replaceAll(/%(?:22|0D|0A)/g, (escape) => escapes[escape] ?? escape);
  const last = told.split(/[/\\]/).at(-1) ?? '';
  const cleaned = last
    .normalize('NFC')
    .replaceAll(/\p{Cc}|\p{Surrogate}|\p{Bidi_Control}/gu, '')
    .trim()
    .slice(-maxNameLength)
    // Half of a character that the cut went through.
    .replace(/^\p{Surrogate}/u, '');
  return cleaned === '' || /^\.+$/.test(cleaned) ? 'file' : cleaned;
}
