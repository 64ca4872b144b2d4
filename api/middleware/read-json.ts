import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type RequestHandler } from 'express';
import { AppError } from '../../shared/errors.js';

const notUtf8 = 'body.not-utf8';

/**
 * Reads a body of JSON, whatever value it is: that an object is expected is for the schema to say.
 *
 * @param limit in bytes, or as `100kb`.
 */
export const readJson = (limit: string | number): RequestHandler =>
  express.json({ limit, strict: false, verify: requireUtf8 });

/**
 * Bytes that are no UTF-8 would be decoded, and stored, as other characters. Not thrown as an error of ours: body-parser
 * writes a status into what it is given.
 */
function requireUtf8(_req: IncomingMessage, _res: ServerResponse, body: Buffer, charset: string): void {
  if (charset === 'utf-8' && !isUtf8(body)) throw Object.assign(new Error('The body is not UTF-8.'), { type: notUtf8 });
}

/** What body-parser throws about the bytes of a body, as an error of ours; null for anything else. */
export function fromBodyParser(error: Error): AppError | null {
  const { type, code } = error as { type?: string; code?: string };
  if (type === 'entity.too.large') {
    return new AppError('payload_too_large', 'The body is larger than this route accepts.');
  }
  if (type === 'entity.parse.failed') return new AppError('malformed_json', 'The body is not valid JSON.');
  if (type === notUtf8) return new AppError('malformed_json', 'The body is not valid UTF-8.');
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return new AppError('unsupported_media_type', 'Send JSON in UTF-8, without or with gzip, deflate or br encoding.');
  }
  // Of zlib, whose own words name no part of the request.
  if (code?.startsWith('Z_') || code?.startsWith('ERR_BROTLI') || code?.startsWith('ERR__ERROR')) {
    return new AppError('invalid_request', 'The body is not compressed as its Content-Encoding says.');
  }
  return null;
}
