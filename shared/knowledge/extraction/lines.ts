/** A line longer than this is given in pieces, in UTF-16 code units. */
const maxLineChars = 64 * 1024;

/** Cuts a stream of text into lines without their ends. */
export async function* linesOf<T extends { text: string }>(texts: AsyncIterable<T>): AsyncGenerator<T> {
  let pending = '';
  let held = '';
  let last: T | undefined;
  for await (const piece of texts) {
    last = piece;
    // A line end may be cut in two: what follows says whether it goes on.
    const whole = held + piece.text;
    held = whole.endsWith('\r') ? '\r' : '';
    const lines = (pending + (held ? whole.slice(0, -1) : whole)).split(/\r\n|\r|\n/);
    pending = lines.pop() ?? '';
    for (const text of lines) yield { ...piece, text };
    while (pending.length > maxLineChars) {
      yield { ...piece, text: pending.slice(0, maxLineChars) };
      pending = pending.slice(maxLineChars);
    }
  }
  if (pending && last) yield { ...last, text: pending };
}
