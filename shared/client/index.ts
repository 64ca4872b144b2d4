/** The client of Millrace's sockets, for browsers and Node. It imports nothing of the server but types. */
export { type Client, createClient } from './client.js';
export type { ConnectionOptions, SessionInfo } from './connection.js';
export type { Conversation, SentMessage } from './conversation.js';
export { ClientError } from './errors.js';
export type { Reply, ReplyState } from './reply.js';
export { createDocumentProvider } from './document-provider.js';
export type { DocumentProvider, DocumentProviderEvents } from './document-provider-types.js';
export { startOver } from './start-over.js';
