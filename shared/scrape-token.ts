import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request may read the metrics.
 *
 * @param token METRICS_TOKEN; without one everybody may who reaches the port.
 * @param authorization the header, as it came.
 */
export function mayReadMetrics(token: string | undefined, authorization: string | undefined): boolean {
  if (token === undefined) return true;
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  // Hashes have one length, which the comparison needs, and how long it takes tells nothing about the token.
  return timingSafeEqual(digest(given), digest(token));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
