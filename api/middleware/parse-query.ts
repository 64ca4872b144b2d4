import { parse, type ParsedUrlQuery } from 'node:querystring';
import { AppError } from '../../shared/errors.js';

/**
 * The parameters of a query: ordinary values only, since nested objects are never asked for. A percent sign that stands
 * for itself is taken as that.
 *
 * @throws AppError `invalid_request` for bytes that are no UTF-8: they would be read as other characters.
 */
export function parseQuery(query: string | null): ParsedUrlQuery {
  try {
    decodeURIComponent((query ?? '').replaceAll(/%(?![\da-f]{2})/gi, '%25'));
  } catch {
    throw new AppError('invalid_request', 'The query is not valid UTF-8.');
  }
  return parse(query ?? '');
}
