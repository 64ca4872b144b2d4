import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler } from 'express';
import { AppError } from '../../shared/errors.js';
import { TimedOut, withTimeout } from '../../shared/lifecycle.js';

/** Enough for the largest body over a slow line; who needs longer has stopped sending. In milliseconds. */
const defaultWithinMs = 120_000;

/**
 * Reads a body of JSON, whatever value it is: that an object is expected is for the schema to say.
 *
 * @param limit in bytes.
 * @param withinMs how long the body may take to arrive, in milliseconds.
 */
export function readJson(limit: number, withinMs = defaultWithinMs): RequestHandler {
  const read = express.raw({ limit, type: 'application/json' });
  return async (req, res, next) => {
    requireUtf8Named(req);
    // The parser would first wait for all of it, to throw it away.
    if (Number(req.get('content-length') ?? 0) > limit) throw tooLarge();
    const arrived = new Promise<void>((resolve, reject) => {
      read(req, res, (error?: Error) => (error ? reject(error) : resolve()));
    });
    await withTimeout(arrived, withinMs, 'a body').catch((error: unknown) => {
      if (!(error instanceof TimedOut)) throw error;
      res.setHeader('connection', 'close');
      throw new AppError('request_timeout', 'The body did not arrive in time.');
    });
    if (Buffer.isBuffer(req.body)) req.body = parse(req.body);
    next();
  };
}

/**
 * JSON is UTF-8 (RFC 8259) and needs no charset; many clients name it all the same, and not all by its proper name.
 *
 * @throws AppError `unsupported_media_type` for another one.
 */
function requireUtf8Named(req: Request): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(req.get('content-type') ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw notJson();
}

/** @throws AppError `malformed_json`. Bytes that are no UTF-8 would be decoded, and stored, as other characters. */
function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new AppError('malformed_json', 'The body is not valid UTF-8.');
  try {
    return JSON.parse(body.toString().replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new AppError('malformed_json', 'The body is not valid JSON.', { cause: error });
  }
}

const tooLarge = (): AppError => new AppError('payload_too_large', 'The body is larger than this route accepts.');

const notJson = (): AppError =>
  new AppError('unsupported_media_type', 'Send JSON in UTF-8, without or with gzip, deflate or br encoding.');

/** What body-parser throws about the bytes of a body, as an error of ours; null for anything else. */
export function fromBodyParser(error: Error): AppError | null {
  const { type, code } = error as { type?: string; code?: string };
  if (type === 'entity.too.large') return tooLarge();
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') return notJson();
  // Of zlib, whose own words name no part of the request.
  if (code?.startsWith('Z_') || code?.startsWith('ERR_BROTLI') || code?.startsWith('ERR__ERROR')) {
    return new AppError('invalid_request', 'The body is not compressed as its Content-Encoding says.');
  }
  return null;
}
