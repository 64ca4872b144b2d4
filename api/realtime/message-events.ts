import { announcePosted } from '../../shared/conversations/announce-posted.js';
import { cancelReply } from '../../shared/conversations/cancel-reply.js';
import { postMessage } from '../../shared/conversations/post-message.js';
import type { WebContext } from '../context.js';
import { citedFor } from '../conversations/cited.js';
import type { EventHandlers } from './receive-event.js';

/** The same services as of the HTTP routes; a socket need not have joined the conversation. */
export function messageHandlers(ctx: WebContext): Pick<EventHandlers, 'message:send' | 'reply:cancel'> {
  return {
    async 'message:send'(session, payload) {
      const { userId } = session.principal;
      const message = { authorId: userId, ...payload };
      const posted = await ctx.oneAtATime(userId, () => postMessage(ctx.database, message));
      announcePosted(ctx, posted);
      const reply = posted.reply && (await citedFor(ctx.database, session.principal, posted.reply));
      return { message: posted.message, reply };
    },
    async 'reply:cancel'(session, { messageId }) {
      const reply = await cancelReply(ctx, session.principal.userId, messageId);
      return { message: await citedFor(ctx.database, session.principal, reply) };
    },
  };
}
