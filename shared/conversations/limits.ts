export { maxMessageLength } from '../realtime/client-events.js';

/** The longest system prompt. */
export const maxSystemPromptLength = 20_000;

/** Members of one conversation. */
export const maxMembers = 100;

/** Unfinished replies of one account: a script that runs wild is told, instead of filling the table. */
export const maxWaitingReplies = 20_000;
