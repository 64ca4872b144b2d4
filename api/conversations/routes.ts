import type { Endpoint } from '../endpoint.js';
import { deleteOneConversation, patchConversation } from './change-conversation.js';
import { deleteOneMessage, patchMessage } from './change-message.js';
import { postCancel, postRegenerate } from './control-reply.js';
import { getConversations, getOneConversation } from './get-conversations.js';
import { getMessage, getMessages, getMessagesSearch } from './get-messages.js';
import { deleteMember, getMembers, putMember } from './members.js';
import { postConversation } from './post-conversation.js';
import { postMessageEndpoint } from './post-message.js';
import { streamReply } from './stream-reply.js';

export const conversationRoutes: readonly Endpoint[] = [
  postConversation,
  getConversations,
  getOneConversation,
  patchConversation,
  deleteOneConversation,
  getMembers,
  putMember,
  deleteMember,
  getMessages,
  postMessageEndpoint,
  // Before the route with a parameter, which would take "search" for an id.
  getMessagesSearch,
  getMessage,
  streamReply,
  patchMessage,
  deleteOneMessage,
  postCancel,
  postRegenerate,
];
