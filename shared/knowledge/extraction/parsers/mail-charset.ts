import { isAscii, isUtf8 } from 'node:buffer';

const declaredAscii =
  /^(content-type[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*?charset[ \t]*=[ \t]*"?)(?:(?:us-)?ascii|(?:x-)?unknown(?:-8bit)?)/gim;

/**
 * The mail with its texts declared as UTF-8 where they say to be ASCII and have letters beyond it, or to be in an encoding
 * that the program did not know: readers of mail take those for letters of Windows, each for two wrong ones.
 */
export function withRealCharset(mail: Buffer): Buffer {
  if (isAscii(mail) || !isUtf8(mail)) return mail;
  const text = mail.toString();
  const mended = text.replaceAll(declaredAscii, '$1utf-8');
  return mended === text ? mail : Buffer.from(mended);
}
