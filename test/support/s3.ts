import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What the service does with requests: answers them, refuses them with a status, or breaks answers off in the middle. */
export type S3Mood = 'well' | 500 | 503 | 403 | 'cut';

const refusal = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;

/** As much of S3 as small objects need, over the wire: put, get and delete of an object, in one bucket. */
export async function startS3(): Promise<{
  storage: string;
  env: Record<string, string>;
  is(mood: S3Mood): void;
  close(): Promise<void>;
}> {
  const objects = new Map<string, Buffer>();
  let mood: S3Mood = 'well';
  const server = createServer((req, res) => {
    const key = (req.url ?? '').split('?')[0] ?? '';
    void buffer(req).then((body) => {
      if (typeof mood === 'number') return res.writeHead(mood).end(refusal(mood === 403 ? 'AccessDenied' : 'SlowDown'));
      if (req.method === 'PUT') {
        objects.set(key, body);
        return res.writeHead(200, { etag: '"1"' }).end();
      }
      if (req.method === 'DELETE') {
        objects.delete(key);
        return res.writeHead(204).end();
      }
      const bytes = objects.get(key);
      if (!bytes) return res.writeHead(404).end(refusal('NoSuchKey'));
      res.writeHead(200, { 'content-length': bytes.length });
      if (mood !== 'cut') return res.end(bytes);
      return res.write(bytes.subarray(0, bytes.length / 2), () => res.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    storage: `s3://bucket/test?region=eu-central-1&endpoint=http://127.0.0.1:${port}&pathStyle=true`,
    /** The SDK reads its credentials from the environment of the process. */
    env: { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' },
    is: (next) => (mood = next),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
