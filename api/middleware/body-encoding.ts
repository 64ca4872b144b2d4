import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../shared/errors.js';

const notUtf8 = 'body.not-utf8';

/**
 * Refuses bytes that are no UTF-8, as a `verify` of body-parser: decoded, each would be stored as another character.
 *
 * @throws an error for {@link fromBodyParser}: body-parser writes a status into what it is given.
 */
export function requireUtf8(_req: IncomingMessage, _res: ServerResponse, body: Buffer, charset: string): void {
  if (charset === 'utf-8' && !isUtf8(body)) throw Object.assign(new Error('The body is not UTF-8.'), { type: notUtf8 });
}

/** What body-parser throws about the bytes of a body, as an error of ours; null for anything else. */
export function fromBodyParser(error: Error): AppError | null {
  const { type, code } = error as { type?: string; code?: string };
  if (type === 'entity.too.large') {
    return new AppError('payload_too_large', 'The body is larger than this route accepts.');
  }
  if (type === 'entity.parse.failed') return new AppError('malformed_json', 'The body is not a valid JSON object.');
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
