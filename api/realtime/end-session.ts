import type { AppError } from '../../shared/errors.js';
import type { Session } from './session.js';

/** Says why, and ends the connection. The client does not come back by itself: it needs another token first. */
export function endSession({ socket }: Session, reason: AppError): void {
  socket.emit('error', { type: reason.code, message: reason.message });
  socket.disconnect(true);
}
