/** What the routes are about, in the order in which the reference shows them. */
export const tags = {
  auth: 'Accounts and sessions: register, sign in, tokens, API keys.',
  users: 'Finding people; admins manage accounts.',
  conversations: 'Conversations and their members.',
  messages: 'Messages, and the replies of Claude: posting, streaming, cancelling, regenerating.',
  documents: 'Texts that are edited together, their access and versions, and the edits that Claude suggests.',
  knowledge: 'Texts and files that are looked up: putting them in, review, search.',
  jobs: 'Work that was accepted and goes on in the background.',
  usage: 'Tokens and what they cost.',
  operations: 'For those who run it: health and metrics.',
} as const;

/** What a route is about. */
export type Tag = keyof typeof tags;
