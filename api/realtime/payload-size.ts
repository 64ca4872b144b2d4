/**
 * What an event's arguments take, counted without copying them, in about the bytes that they had on the wire.
 * Stops when `limit` is passed. Not recursive: a client may nest as deep as it likes.
 */
export function exceedsSize(args: readonly unknown[], limit: number): boolean {
  let size = 0;
  const open: unknown[] = [...args];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') size += Buffer.byteLength(value) + 2;
    else if (ArrayBuffer.isView(value)) size += value.byteLength;
    else if (Array.isArray(value)) {
      size += 2 + value.length;
      if (size <= limit) for (const item of value) open.push(item);
    } else if (typeof value === 'object' && value !== null) {
      size += 2;
      for (const [key, item] of Object.entries(value)) {
        size += Buffer.byteLength(key) + 4;
        open.push(item);
      }
    } else size += 4;
    if (size > limit) return true;
  }
  return false;
}
