import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { ByteRange } from '../../shared/adapters/object-store/object-store.js';
import { ObjectMissing, StorageUnavailable } from '../../shared/adapters/object-store/object-store.js';
import { AppError, notFound } from '../../shared/errors.js';
import { findFile } from '../../shared/knowledge/entry.js';
import { digits } from '../../shared/schemas.js';
import { attachment } from '../attachment.js';
import { endpoint, idParams } from '../endpoint.js';

export const getFile = endpoint({
  method: 'get',
  path: '/knowledge/:id/file',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Download the file of an entry',
  params: idParams,
  query: z.strictObject({
    version: digits(1, 2 ** 31 - 1)
      .optional()
      .describe('The one that you see unless given.'),
  }),
  headers: {
    Range: 'A single range of bytes; anything else is answered with the whole file.',
    'If-Range': 'The ETag that the range belongs to: of another file the whole is answered.',
    'If-None-Match': 'The ETag of what you have.',
  },
  response: {
    status: 200,
    description: 'The bytes that were uploaded, with the type that their content says.',
    stream: ['*/*'],
    others: { 206: 'The range that was asked for.', 304: 'You have the file already: If-None-Match names it.' },
  },
  errors: ['not_found', 'range_not_satisfiable'],
  async handler({ ctx, principal, params, query, req, res }) {
    const file = await findFile(ctx.database, principal, { id: params.id, n: query.version });
    const etag = `"${file.sha256}"`;
    res.setHeader('etag', etag);
    res.setHeader('accept-ranges', 'bytes');
    res.setHeader('cache-control', 'private, no-cache');
    if (isKnown(req.headers['if-none-match'], etag)) {
      res.status(304).end();
      return;
    }
    // A part of another file than the client has begun with would be put behind that.
    const sameAsBefore = (req.headers['if-range'] ?? etag) === etag;
    const range = sameAsBefore ? rangeOf(req.headers.range, file.size) : null;
    if (range === 'unsatisfiable') {
      res.setHeader('content-range', `bytes */${file.size}`);
      throw new AppError('range_not_satisfiable', `The file has ${file.size} bytes.`);
    }
    res.status(range ? 206 : 200);
    if (range) res.setHeader('content-range', `bytes ${range.start}-${range.end}/${file.size}`);
    res.setHeader('content-length', range ? range.end - range.start + 1 : file.size);
    res.setHeader('content-type', file.mimeType ?? 'application/octet-stream');
    // Never shown by the browser itself: a page that somebody has uploaded would run as one of ours.
    res.setHeader('content-disposition', attachment(file.fileName));
    res.setHeader('content-security-policy', "default-src 'none'; sandbox");
    res.setHeader('x-content-type-options', 'nosniff');
    if (req.method === 'HEAD') {
      res.end();
      return;
    }
    try {
      const bytes = await ctx.objects.open(file.objectKey, range ?? undefined);
      await pipeline(bytes, res);
    } catch (error) {
      // What was said of the file is not true of the answer that follows.
      const ofTheFile = /^(content-.*|etag|accept-ranges)$/;
      if (!res.headersSent) res.getHeaderNames().forEach((name) => ofTheFile.test(name) && res.removeHeader(name));
      if (error instanceof ObjectMissing) throw notFound('The file');
      if (error instanceof StorageUnavailable) {
        throw new AppError('unavailable', error.message, { retryAfterSeconds: 10, cause: error });
      }
      // The client has gone: nobody is to be told.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    }
  },
});

/** Whether the client has it: one of a list, marked as weak by a proxy that has compressed it, or any at all. */
function isKnown(header: string | undefined, etag: string): boolean {
  const known = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}

/** A single range of `bytes`; anything else that the header may say is answered with the whole. */
function rangeOf(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const [, first = '', last = ''] = match;
  // `-n`: the last n bytes.
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first === '' && Number(last) === 0) return 'unsatisfiable';
  if (start >= size) return 'unsatisfiable';
  return start > end ? null : { start, end };
}
