/** The place of an operation: of which client, and its clock. */
type Place = [client: number, clock: number];

/** Operations of one client, from its first: where each stands, and what it writes. */
export type Crafted = { client: number; writes: { left?: Place; right?: Place; text: string }[] };

/** An update as no editor makes it, in the first encoding of Yjs. */
export function craft(clients: Crafted[], deletions: { client: number; ranges: [number, number][] }[] = []) {
  const bytes: number[] = [];
  const uint = (value: number): void => {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
    bytes.push(rest);
  };
  const text = (value: string): void => {
    const encoded = Buffer.from(value);
    uint(encoded.length);
    for (const byte of encoded) bytes.push(byte);
  };
  uint(clients.length);
  for (const { client, writes } of clients) {
    for (const value of [writes.length, client, 0]) uint(value);
    for (const { left, right, text: content } of writes) {
      bytes.push(4 | (left ? 128 : 0) | (right ? 64 : 0));
      for (const value of [...(left ?? []), ...(right ?? [])]) uint(value);
      if (!left && !right) {
        uint(1);
        text('content');
      }
      text(content);
    }
  }
  uint(deletions.length);
  for (const { client, ranges } of deletions) {
    for (const value of [client, ranges.length, ...ranges.flat()]) uint(value);
  }
  return Uint8Array.from(bytes);
}

/** A text of `length` letters of `client`. */
export const longText = (client: number, length: number): Uint8Array =>
  craft([{ client, writes: [{ text: 'x'.repeat(length) }] }]);

/** Letters that each stand between the beginning and another letter of that text: all that is between is looked at. */
export const tangled = (client: number, of: number, length: number): Uint8Array =>
  craft([{ client, writes: Array.from({ length }, (_, at) => ({ right: [of, at] as Place, text: 'a' })) }]);
