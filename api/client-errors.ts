import { randomUUID } from 'node:crypto';
import { maxHeaderSize, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { AppError } from '../shared/errors.js';
import { problemDocument } from './middleware/problem.js';

/** A peer that does not take the answer may not keep its socket. */
const farewellMs = 5_000;

/** @property rawPacket the bytes that had just arrived. */
type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** Both share one limit. Which of the two it is can be told where the address came in one piece. */
function tooLargeHead(error: ParserError): AppError {
  const limit = `${maxHeaderSize / 1024} KiB`;
  const begin = error.rawPacket?.toString('latin1', 0, maxHeaderSize) ?? '';
  if (/^[A-Z]+ \S+$/.test(begin)) {
    return new AppError('uri_too_long', `The address has more than the ${limit} that are accepted.`, { cause: error });
  }
  const message = `Address and headers have together more than the ${limit} that are accepted.`;
  return new AppError('headers_too_large', message, { cause: error });
}

/** What Node's parser and its timeouts say, as errors of ours; the statuses are those that Node itself answers. */
function fromParser(error: ParserError): AppError {
  if (error.code === 'HPE_HEADER_OVERFLOW') return tooLargeHead(error);
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new AppError('payload_too_large', 'The chunk extensions are larger than the server accepts.', {
      cause: error,
    });
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new AppError('request_timeout', 'The request did not arrive in time.', { cause: error });
  }
  return new AppError('malformed_request', 'This is not valid HTTP/1.1.', { cause: error });
}

/**
 * Answers as problem details what never reaches Express: Node alone answers it with a bare status line, and a client
 * that decides by `code` would have nothing to decide by.
 */
export function answerClientErrors(server: Server, logger: Logger): void {
  const responses = new WeakMap<object, ServerResponse>();
  // First of all listeners, so that the response is known before a handler can write to it.
  server.prependListener('request', (req, res) => responses.set(req.socket, res));
  // Whatever else is expected than 100-continue may be ignored (RFC 9110, 10.1.1); Node alone answers a bare 417.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  server.on('clientError', (error: ParserError, stream) => {
    const socket = stream as Socket;
    const response = responses.get(socket);
    // In the middle of an answer a second one would be read as part of the first.
    const isAnswering = response?.headersSent === true && !response.writableFinished;
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswering) {
      socket.destroy();
      return;
    }
    const requestId = randomUUID();
    const refusal = fromParser(error);
    // Not the error itself: the bytes that were received are in it, a token among them perhaps.
    logger.info({ reason: error.code, reqId: requestId, code: refusal.code }, 'request refused before it was read');
    socket.setTimeout(farewellMs, () => socket.destroy());
    socket.end(rawAnswer(refusal, requestId), () => socket.destroy());
  });
}

function rawAnswer(error: AppError, requestId: string): string {
  const body = problemDocument(error, requestId);
  return [
    `HTTP/1.1 ${error.status} ${error.code.replaceAll('_', ' ')}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
