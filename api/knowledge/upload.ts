import { createHash } from 'node:crypto';
import { z } from 'zod';
import { requirePermission } from '../../shared/accounts/policy.js';
import type { Principal } from '../../shared/accounts/principal.js';
import type { Sql } from '../../shared/database.js';
import { type Accepted, addVersion, createEntry, lockEntry } from '../../shared/knowledge/change-entry.js';
import { entryFields, getEntry, tagSchema } from '../../shared/knowledge/entry.js';
import { findLostObject, registerFile, type StoredFile, storeFile } from '../../shared/knowledge/files.js';
import { maxTags, maxTitleLength } from '../../shared/knowledge/limits.js';
import { requireManage } from '../../shared/knowledge/policy.js';
import type { NewContent } from '../../shared/knowledge/version.js';
import { endpoint, idParams, type Input } from '../endpoint.js';
import { runInTransaction } from '../middleware/idempotency.js';
import { readForm } from '../middleware/multipart.js';
import type { WebContext } from '../context.js';
import { acceptedSchema } from './entries.js';

const fields = z.strictObject({
  title: entryFields.title.optional().describe('The name of the file unless given.'),
  tags: z
    .union([
      z
        .string()
        .max(2_000)
        .transform((value) => value.split(',')),
      z.array(z.string().max(200)).max(maxTags),
    ])
    .transform((tags) => tags.filter((tag) => tag.trim() !== ''))
    .pipe(z.array(tagSchema).max(maxTags))
    .default([])
    .describe('Separated by commas, or the field repeated.'),
});

const description =
  'The file is stored as it arrives and read by a job. What it is, its content says and not its name: PDF, DOCX, PPTX, ' +
  'XLSX, CSV, HTML, Markdown, plain text or EML. What cannot be read ends `failed`, with a reason.';

export const postFile = endpoint({
  method: 'post',
  path: '/knowledge/files',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Make an entry from a file',
  description,
  idempotent: 'own',
  multipart: { file: 'The file.', fields },
  response: { status: 202, description: 'The entry, a draft, and the job that reads it.', schema: acceptedSchema },
  errors: ['forbidden'],
  handler(input) {
    const { principal } = input;
    requirePermission(principal, 'knowledge:create');
    return receive(input, fields, (tx, content, { title, tags }) =>
      createEntry(tx, principal, { title: title ?? titleOf(content.fileName), tags, content }),
    );
  },
});

export const putFile = endpoint({
  method: 'put',
  path: '/knowledge/:id/file',
  tag: 'knowledge',
  auth: 'user',
  summary: 'Give an entry a new version from a file',
  description,
  params: idParams,
  multipart: { file: 'The file.', fields: z.strictObject({}) },
  response: {
    status: 202,
    description: 'The entry, a draft again, and the job that reads it.',
    schema: acceptedSchema,
  },
  errors: ['forbidden', 'not_found'],
  async handler(input) {
    const { ctx, principal, params } = input;
    // Before the file is taken; asked again when the version is made.
    await ctx.database.transaction(async (tx) => requireManage(principal, await lockEntry(tx, params.id)));
    return receive(input, z.strictObject({}), (tx, content) => addVersion(tx, principal, { id: params.id, content }));
  },
});

type FileContent = Extract<NewContent, { source: 'file' }>;
type Upload = Pick<Input<undefined, undefined, undefined, 'user'>, 'ctx' | 'req' | 'res' | 'idempotency'> & {
  principal: Principal;
};

/** Stores the file, and makes what it is for in one transaction with the Idempotency-Key. */
async function receive<Fields extends z.ZodType>(
  { ctx, principal, req, res, idempotency }: Upload,
  schema: Fields,
  make: (tx: Sql, content: FileContent, fields: z.output<Fields>) => Promise<Accepted>,
): Promise<z.input<typeof acceptedSchema>> {
  let stored: StoredFile | undefined;
  let kept: string | undefined;
  let accepted: Accepted | undefined;
  try {
    const form = await readForm(
      { req, res },
      schema,
      (bytes, signal) => storeFile(ctx.objects, bytes, { maxBytes: ctx.config.knowledge.maxFileBytes, signal }),
      (file) => (stored = file),
    );
    const { file, fileName } = form;
    const bodyHash = createHash('sha256')
      .update(file.sha256)
      .update(JSON.stringify([fileName, form.fields]))
      .digest();
    const options = {
      userId: principal.userId,
      idempotency: idempotency && { ...idempotency, bodyHash },
      status: 202,
      res,
    };
    const lost = await findLostObject(ctx, file);
    const accept = async (tx: Sql) => {
      kept = await registerFile(tx, file, lost);
      accepted = await make(tx, { source: 'file', fileName, sha256: file.sha256, size: file.size }, form.fields);
      return { entry: await getEntry(tx, principal, accepted.id), jobId: accepted.jobId };
    };
    const answer = await ctx.oneAtATime(principal.userId, () => runInTransaction(ctx, options, accept));
    if (accepted) ctx.dispatcher.kick(accepted.ready);
    return answer.value as z.input<typeof acceptedSchema>;
  } finally {
    if (stored && stored.objectKey !== kept) await dropObject(ctx, stored.objectKey);
  }
}

/** Deletes a stored object that nothing has come of: the same bytes were there, or the request failed. */
async function dropObject(ctx: WebContext, objectKey: string): Promise<void> {
  await ctx.objects.delete(objectKey).catch((error: unknown) => {
    ctx.logger.warn({ err: error }, 'an object was left over; the cleaning removes it');
  });
}

function titleOf(fileName: string): string {
  return fileName.slice(0, maxTitleLength);
}
