import { endOfHeader } from './mail-boundary.js';

/** Somebody signs what somebody else has signed; no more often than this. */
const maxSignatures = 5;
const maxDepth = 16;
const signedData = Buffer.from('2a864886f70d010702', 'hex');
const octets = 0x04;
const manyOctets = 0x24;

/**
 * The mail as it was before it was wrapped into its signature, as Outlook does unless it is told to sign in the clear:
 * all that it says would be a file for programs. One that is encrypted stays as it is.
 */
export function withoutSignature(mail: Buffer): Buffer {
  let opened = mail;
  for (let left = maxSignatures; left > 0; left -= 1) {
    const end = endOfHeader(opened);
    const header = opened.subarray(0, end).toString('latin1');
    if (!/^content-type[ \t]*:\s*application\/(x-)?pkcs7-mime\b/im.test(header)) break;
    const encoded = /^content-transfer-encoding[ \t]*:[ \t]*base64/im.test(header);
    const body = opened.subarray(end + (opened[end] === 0x0d ? 4 : 2));
    const content = signedContent(encoded ? Buffer.from(body.toString('latin1'), 'base64') : body);
    if (!content) break;
    const kept = header.replaceAll(/^(?:content-[\w-]+|mime-version)[ \t]*:.*(?:\r?\n[ \t].*)*(?:\r?\n|$)/gim, '');
    opened = Buffer.concat([Buffer.from(`${kept.trimEnd()}\r\nMIME-Version: 1.0\r\n`, 'latin1'), content]);
  }
  return opened;
}

/** What was signed, where it is inside of its signature (CMS, RFC 5652). */
export function signedContent(bytes: Buffer): Buffer | undefined {
  const whole = valueAt(bytes, 0, bytes.length);
  const [kind, wrapped] = partsOf(bytes, whole);
  if (!kind || !bytes.subarray(kind.from, kind.to).equals(signedData)) return undefined;
  const [signed] = partsOf(bytes, wrapped);
  const [, , encapsulated] = partsOf(bytes, signed);
  const [, content] = partsOf(bytes, encapsulated);
  return octetsOf(bytes, partsOf(bytes, content)[0]);
}

/** Long ones are written in pieces. */
function octetsOf(bytes: Buffer, value: Value | undefined): Buffer | undefined {
  if (value?.tag === octets) return bytes.subarray(value.from, value.to);
  if (value?.tag !== manyOctets) return undefined;
  return Buffer.concat(
    partsOf(bytes, value).flatMap(({ tag, from, to }) => (tag === octets ? [bytes.subarray(from, to)] : [])),
  );
}

/** A value of ASN.1 in BER: where its content is, and where the next value begins. */
type Value = { tag: number; from: number; to: number; next: number };

function valueAt(bytes: Buffer, at: number, end: number, depth = 0): Value | undefined {
  const tag = bytes[at];
  const length = bytes[at + 1];
  if (tag === undefined || length === undefined || depth > maxDepth) return undefined;
  if (length === 0x80) {
    // How long it is was not known when it was begun: a mark of two zeros ends it.
    let next = at + 2;
    while (bytes[next] !== 0 || bytes[next + 1] !== 0) {
      const part = valueAt(bytes, next, end, depth + 1);
      if (!part) return undefined;
      ({ next } = part);
    }
    return { tag, from: at + 2, to: next, next: next + 2 };
  }
  const size = length < 0x80 ? 0 : length - 0x80;
  const from = at + 2 + size;
  if (size > 6 || from > end) return undefined;
  const to = from + (size > 0 ? bytes.readUIntBE(at + 2, size) : length);
  return to <= end ? { tag, from, to, next: to } : undefined;
}

function partsOf(bytes: Buffer, value: Value | undefined): Value[] {
  const parts: Value[] = [];
  if (!value) return parts;
  for (let at = value.from; at < value.to;) {
    const part = valueAt(bytes, at, value.to);
    if (!part) break;
    parts.push(part);
    at = part.next;
  }
  return parts;
}
