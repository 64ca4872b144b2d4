import { open } from 'node:fs/promises';

/** Styles and scripts may stand before the declaration. */
const declarationBytes = 16 * 1024;

/** The encoding that a page declares in a meta element, or as XML. */
export async function declaredEncoding(path: string): Promise<string | undefined> {
  const start = await startOf(path);
  return xmlEncoding(start) ?? /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]{1,40})/i.exec(start)?.[1];
}

/** The encoding that a file declares as XML; a text may be about pages, and says nothing of itself with their words. */
export async function declaredAsXml(path: string): Promise<string | undefined> {
  return xmlEncoding(await startOf(path));
}

const xmlEncoding = (start: string): string | undefined =>
  /^\s*<\?xml[^>]{0,100}?\sencoding\s*=\s*["']([\w:.-]{1,40})/i.exec(start)?.[1];

async function startOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(declarationBytes), 0, declarationBytes, 0);
    return buffer.subarray(0, bytesRead).toString('latin1');
  } finally {
    await file.close();
  }
}
