import { z } from 'zod';
import { levelSchema, listReaders, readerSchema, removeAccess, setAccess } from '../../shared/documents/access.js';
import { cancelEdits } from '../../shared/documents/cancel-edits.js';
import { announceEnded } from '../../shared/documents/end-waiting.js';
import { syncDocumentPoints } from '../../shared/knowledge/documents/ask.js';
import { rooms } from '../../shared/realtime/events.js';
import { tellInTime } from '../../shared/realtime/tell.js';
import { id } from '../../shared/schemas.js';
import { endpoint, idParams, nothing } from '../endpoint.js';
import { stopJobs } from '../stop-jobs.js';

const accessParams = z.object({ id, userId: id });
const readers = z.object({ items: z.array(readerSchema) });

export const getAccess = endpoint({
  method: 'get',
  path: '/documents/:id/access',
  tag: 'documents',
  auth: 'user',
  summary: 'List who may read and edit a document',
  params: idParams,
  response: { status: 200, description: 'Everybody, at most 200.', schema: readers },
  errors: ['not_found'],
  async handler({ ctx, principal, params }) {
    return { items: await listReaders(ctx.database, params.id, principal.userId) };
  },
});

export const putAccess = endpoint({
  method: 'put',
  path: '/documents/:id/access/:userId',
  tag: 'documents',
  auth: 'user',
  summary: 'Let somebody read or edit a document',
  description: 'Only the owner may. Whoever may not edit any more is stopped at once.',
  params: accessParams,
  body: z.strictObject({ level: levelSchema }),
  response: { status: 200, description: 'Everybody who may read, as it is now.', schema: readers },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params, body }) {
    const { id: documentId, userId } = params;
    const byUserId = principal.userId;
    const changed = await ctx.database.transaction(async (tx) => {
      if (!(await setAccess(tx, { documentId, byUserId, userId }, body.level))) return null;
      const edits = body.level === 'edit' ? null : await cancelEdits(tx, { documentId, userId });
      return { edits, points: await syncDocumentPoints(tx, { documentId, userId: byUserId }) };
    });
    if (changed) {
      ctx.dispatcher.kick(changed.points);
      const event = { documentId, userId, level: body.level };
      await tellInTime([
        ...(changed.edits ? stopJobs(ctx, changed.edits) : []),
        ...(changed.edits?.ended ?? []).map((each) => announceEnded(ctx.publisher, each)),
        ctx.publisher.emit(rooms.document(documentId), 'document:access', event),
      ]);
    }
    return { items: await listReaders(ctx.database, documentId, principal.userId) };
  },
});

export const deleteAccess = endpoint({
  method: 'delete',
  path: '/documents/:id/access/:userId',
  tag: 'documents',
  auth: 'user',
  summary: 'Take access to a document away, or give up your own',
  params: accessParams,
  response: { status: 204, description: 'Their open rooms are closed within a second.', schema: nothing },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params }) {
    const { id: documentId, userId } = params;
    const byUserId = principal.userId;
    const { edits, points } = await ctx.database.transaction(async (tx) => {
      await removeAccess(tx, { documentId, byUserId, userId });
      return {
        edits: await cancelEdits(tx, { documentId, userId }),
        points: await syncDocumentPoints(tx, { documentId, userId: byUserId }),
      };
    });
    ctx.dispatcher.kick(points);
    await tellInTime([
      ...stopJobs(ctx, edits),
      ...edits.ended.map((each) => announceEnded(ctx.publisher, each)),
      ctx.publisher.control({ type: 'access-revoked', room: rooms.document(documentId), userId }),
    ]);
  },
});
