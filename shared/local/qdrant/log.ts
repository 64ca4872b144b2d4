import { type FileHandle, open, rename } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** One change: what it is, and the numbers that JSON would make long. */
export type LogRecord = { header: unknown; floats: Float32Array };

/**
 * An append-only file of changes. What was written before a crash is there after it: a record that was cut off in
 * the middle is recognised by its checksum and taken away.
 */
export type Log = {
  /** Bytes in the file. */
  readonly size: number;
  /** Resolves when the records are in the file, whole; records are written in the order of the calls. */
  append(records: LogRecord[]): Promise<void>;
  /** Replaces all that is in the file by these records; what is appended meanwhile comes after them. */
  rewrite(records: () => Iterable<LogRecord>): Promise<void>;
  close(): Promise<void>;
};

/** Length and checksum of what follows. */
const prefixBytes = 8;
const rewriteBatch = 500;

/** Opens the log, and makes it if it is new; `replay` is told each record in it. */
export async function openLog(file: string, replay: (record: LogRecord) => void): Promise<Log> {
  let handle = await open(file, 'a+');
  let size = await readAll(handle, replay);
  await handle.truncate(size);
  let last: Promise<void> = Promise.resolve();

  /** One after the other; one that failed does not hold up the next. */
  function queued(work: () => Promise<void>): Promise<void> {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  }

  return {
    get size() {
      return size;
    },
    append(records) {
      const bytes = Buffer.concat(records.map(encode));
      return queued(async () => {
        await writeWhole(handle, bytes);
        size += bytes.length;
      });
    },
    rewrite: (records) =>
      queued(async () => {
        const next = `${file}.new`;
        const fresh = await open(next, 'w+');
        let written = 0;
        let batch: Buffer[] = [];
        const flush = async (): Promise<void> => {
          const bytes = Buffer.concat(batch);
          batch = [];
          written += bytes.length;
          await writeWhole(fresh, bytes);
        };
        for (const record of records()) {
          batch.push(encode(record));
          if (batch.length === rewriteBatch) await flush();
        }
        await flush();
        await fresh.close();
        await rename(next, file);
        await handle.close();
        handle = await open(file, 'a+');
        size = written;
      }),
    async close() {
      await last;
      await handle.close();
    },
  };
}

function encode({ header, floats }: LogRecord): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const body = Buffer.alloc(4 + json.length + floats.byteLength);
  body.writeUInt32LE(json.length, 0);
  json.copy(body, 4);
  Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).copy(body, 4 + json.length);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(body.length, 0);
  prefix.writeUInt32LE(crc32(body), 4);
  return Buffer.concat([prefix, body]);
}

function decode(body: Buffer): LogRecord {
  const headerEnd = 4 + body.readUInt32LE(0);
  const header: unknown = JSON.parse(body.toString('utf8', 4, headerEnd));
  // A copy: floats must begin at a multiple of four.
  const floats = new Float32Array(new Uint8Array(body.subarray(headerEnd)).buffer);
  return { header, floats };
}

/** Replays all records that are whole; resolves to where they end. */
async function readAll(handle: FileHandle, replay: (record: LogRecord) => void): Promise<number> {
  const prefix = Buffer.alloc(prefixBytes);
  const { size } = await handle.stat();
  let position = 0;
  for (;;) {
    if ((await handle.read(prefix, 0, prefixBytes, position)).bytesRead < prefixBytes) return position;
    const length = prefix.readUInt32LE(0);
    if (position + prefixBytes + length > size) return position;
    const body = Buffer.alloc(length);
    await handle.read(body, 0, length, position + prefixBytes);
    if (crc32(body) !== prefix.readUInt32LE(4)) return position;
    replay(decode(body));
    position += prefixBytes + length;
  }
}

async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;) written += (await handle.write(bytes, written)).bytesWritten;
}
