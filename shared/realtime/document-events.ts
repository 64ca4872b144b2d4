import { z } from 'zod';
import { id } from '../schemas.js';
import { maxUpdateBytes } from './update-size.js';

/** The longest awareness update, in bytes: a name, a colour, a cursor. */
const maxAwarenessBytes = 16 * 1024;

const ok = z.object({ ok: z.literal(true) });
const level = z.enum(['view', 'edit']);
const seq = z.int().min(0);
const clientId = z.int().min(0);
const jobId = z.uuid();

/** Bytes, sent as binary by Socket.IO. */
const bytes = (max: number) =>
  z
    .custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be binary')
    .refine((value) => value.byteLength <= max, `must have at most ${max} bytes`);

const page = {
  // One after the other in one piece of binary: a message of Socket.IO takes ten pieces at most.
  updates: bytes(Infinity).describe('Yjs updates (version 1), one after the other; apply them in any order.'),
  lengths: z.array(z.int().positive()).describe('How many bytes each of the updates has.'),
  seq: seq.describe('You have everything up to here.'),
  more: z.boolean().describe('Ask for the rest with document:resume after seq.'),
};

const hunks = z.array(z.int().min(0)).max(10_000).optional().describe('Which hunks; all of them unless told.');
const suggestion = z.strictObject({ documentId: id, suggestionId: id, hunks });

/** Client → server: what concerns documents. */
export const documentClientEvents = {
  'document:join': {
    payload: z.strictObject({
      documentId: id,
      clientId: clientId.describe('The clientID of your Y.Doc; it is yours alone in this document.'),
      after: seq.optional().describe('The seq up to which you have everything; 0 unless told.'),
    }),
    ack: ok.extend({
      ...page,
      level,
      present: z.array(z.object({ userId: id, name: z.string() })).describe('Who has the document open; at most 100.'),
    }),
    description:
      'Opens a document. Joining again is harmless and tells what you lack of the text. The title and the suggestions do ' +
      'not come with it: read GET /documents/{id} and GET /documents/{id}/suggestions after each join, and after ' +
      'room:resync; from then on events tell what changes.',
  },
  'document:resume': {
    payload: z.strictObject({ documentId: id, after: seq }),
    ack: ok.extend(page),
    description: 'What you lack of the updates, in pages of about 512 KB; more than that is harmless and may come.',
  },
  'document:leave': {
    payload: z.strictObject({ documentId: id }),
    ack: ok,
    description: 'Closes a document; your cursor disappears.',
  },
  'document:update': {
    payload: z.strictObject({ documentId: id, update: bytes(maxUpdateBytes) }),
    ack: ok.extend({ seq }),
    description: `Changes a document, by at most ${maxUpdateBytes} bytes at once. Acknowledged when Postgres has it; sending it again is harmless.`,
  },
  'document:awareness': {
    payload: z.strictObject({ documentId: id, update: bytes(maxAwarenessBytes) }),
    ack: ok,
    description: 'Shows the others your cursor: an update of y-protocols/awareness about your own clientId only.',
  },
  'suggestion:accept': {
    payload: suggestion,
    ack: ok.extend({ seq }),
    description: 'Takes over what Claude suggests. Whatever was typed meanwhile stays.',
  },
  'suggestion:reject': { payload: suggestion, ack: ok, description: 'Declines what Claude suggests.' },
  'suggestion:undo': {
    payload: suggestion,
    ack: ok.extend({ seq }),
    description: 'Takes back what was accepted. Whatever was typed since stays.',
  },
} as const;

/** Server → client: what concerns documents. */
export const documentServerEvents = {
  'document:update': z
    .object({ documentId: id, seq, update: bytes(Infinity), userId: id })
    .describe('Somebody changed the document. Seqs have no gap: when one is missing, ask with document:resume.'),
  'document:changed': z
    .object({ documentId: id, seq })
    .describe('The same for a change that is too large for everybody at once: ask with document:resume.'),
  'document:awareness': z
    .object({ documentId: id, update: bytes(Infinity) })
    .describe('Cursors have moved, appeared or gone: an update of y-protocols/awareness.'),
  'document:opened': z
    .object({ documentId: id, userId: id, clientId })
    .describe('Somebody opened the document: show your cursor again.'),
  'document:renamed': z.object({ documentId: id, title: z.string() }).describe('The document has another title.'),
  'document:access': z
    .object({ documentId: id, userId: id, level })
    .describe('Somebody may do more, or less, than before.'),
  'document:deleted': z.object({ documentId: id }).describe('It is gone, for everybody.'),
  'suggestion:started': z
    .object({ documentId: id, suggestionId: id, attempt: z.int() })
    .describe('Claude writes; drop what earlier attempts said.'),
  'suggestion:delta': z
    .object({
      documentId: id,
      suggestionId: id,
      attempt: z.int(),
      seq: z.int().positive().describe('From 1 in each attempt.'),
      text: z.string(),
    })
    .describe('The next piece of what Claude writes, to be watched: when one is missing, wait for suggestion:ready.'),
  'suggestion:ready': z
    .object({ documentId: id, suggestionId: id })
    .describe('It can be accepted; read it with GET /documents/{id}/suggestions/{suggestionId}.'),
  'suggestion:failed': z
    .object({ documentId: id, suggestionId: id, jobId })
    .describe('It was given up or cancelled; reading it says which, and why.'),
  'suggestion:resolved': z
    .object({ documentId: id, suggestionId: id })
    .describe('Hunks were accepted, rejected or taken back.'),
} as const;
