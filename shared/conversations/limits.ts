export { maxMessageLength } from '../realtime/client-events.js';

/** The longest system prompt. */
export const maxSystemPromptLength = 20_000;

/** Members of one conversation. */
export const maxMembers = 100;
