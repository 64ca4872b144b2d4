/**
 * An origin as browsers send it: without the slash at the end, the port of the scheme and the capitals that people may
 * write. Compared as it was written it would match none, and nobody would be told why.
 *
 * @returns null for what no browser sends.
 */
export function toOrigin(written: string): string | null {
  if (written === '*' || written === 'null') return written;
  if (written.includes('*') || !URL.canParse(written)) return null;
  const { origin, protocol, host, href } = new URL(written);
  // Those of apps have schemes that no rule is known for, such as capacitor://localhost.
  const told = origin === 'null' ? `${protocol}//${host}` : origin;
  return host !== '' && (href === told || href === `${told}/`) ? told : null;
}
