import { deleteDocument } from '../../shared/documents/document.js';
import { removeDocumentPoints } from '../../shared/knowledge/documents/ask.js';
import { rooms } from '../../shared/realtime/events.js';
import { tellInTime } from '../../shared/realtime/tell.js';
import { endpoint, idParams, nothing } from '../endpoint.js';
import { stopJobs } from '../stop-jobs.js';

export const deleteOneDocument = endpoint({
  method: 'delete',
  path: '/documents/:id',
  tag: 'documents',
  auth: 'user',
  summary: 'Delete a document with all its versions, for everybody',
  params: idParams,
  response: { status: 204, description: 'It is gone.', schema: nothing },
  errors: ['not_found', 'forbidden'],
  async handler({ ctx, principal, params }) {
    const where = { id: params.id, userId: principal.userId };
    const { ready, ...gone } = await ctx.database.transaction(async (tx) => ({
      ...(await deleteDocument(tx, where)),
      ready: await removeDocumentPoints(tx, { documentId: where.id, userId: where.userId }),
    }));
    ctx.dispatcher.kick(ready);
    const room = rooms.document(params.id);
    await tellInTime([
      ...stopJobs(ctx, gone.cancelled),
      ctx.publisher.emit(room, 'document:deleted', { documentId: params.id }),
      ...gone.readerIds.map((userId) => ctx.publisher.control({ type: 'access-revoked', room, userId })),
    ]);
  },
});
