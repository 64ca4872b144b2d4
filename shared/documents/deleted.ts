import { notFound } from '../errors.js';

/** What Postgres says of a row that refers to one which is not there. */
const foreignKeyViolation = '23503';

/**
 * Stores something about a document, which may have been deleted since it was looked at.
 *
 * @throws AppError `not_found` when it was.
 */
export async function unlessDeleted<T>(storing: Promise<T>): Promise<T> {
  try {
    return await storing;
  } catch (error) {
    if ((error as { code?: unknown }).code === foreignKeyViolation) throw notFound('The document');
    throw error;
  }
}
