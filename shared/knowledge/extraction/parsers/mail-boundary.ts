/** How much of the body is searched for the line that parts it, in bytes. */
const searchedBytes = 64 * 1024;

/**
 * The mail with a boundary that its parts have. Some programs leave it out of the header or break the line there: all
 * of the body would be lost. Where there are no parts either, the body is read as the text that it is.
 */
export function withBoundary(mail: Buffer): Buffer {
  const end = endOfHeader(mail);
  const header = mail.subarray(0, end).toString('latin1');
  const type = /^content-type[ \t]*:[ \t]*multipart\/[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/im.exec(header);
  if (!type) return mail;
  const named = /boundary[ \t]*=[ \t]*(?:"([^"]+)"|([^\s;"]+))/i.exec(type[0]);
  const boundary = named?.[1] ?? named?.[2];
  const body = mail.subarray(end);
  if (boundary && body.includes(`--${boundary}`, 0, 'latin1')) return mail;
  const found = /^--(\S(?:[^\r\n"]{0,68}\S)?)[ \t]*\r?\n(?=content-|\r?\n)/im.exec(
    body.subarray(0, searchedBytes).toString('latin1'),
  );
  const told = found ? `Content-Type: multipart/mixed; boundary="${found[1]}"` : 'Content-Type: text/plain';
  const mended = header.slice(0, type.index) + told + header.slice(type.index + type[0].length);
  return Buffer.concat([Buffer.from(mended, 'latin1'), body]);
}

/** Where the empty line behind the header of a mail begins. */
export function endOfHeader(mail: Buffer): number {
  const ends = ['\r\n\r\n', '\n\n'].map((empty) => mail.indexOf(empty)).filter((at) => at >= 0);
  return ends.length > 0 ? Math.min(...ends) : mail.length;
}
