/**
 * The value of Content-Disposition for a file that is to be saved, with its name twice (RFC 6266): in ASCII for old
 * clients, and as it is.
 */
export function attachment(fileName: string): string {
  // Through bytes, so that half of a surrogate pair, which cannot be encoded, is no half any more.
  const name = Buffer.from(fileName).toString();
  const ascii = name.replaceAll(/[^\x20-\x7e]/g, '_').replaceAll(/["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
