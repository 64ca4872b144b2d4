import type { PDFParse } from 'pdf-parse';
import type { Piece } from '../piece.js';
import type { InnerFile, Source } from './parser.js';

/** What is used of the library's document, which its types keep private. */
type Attachments = {
  getAttachments(): Promise<Record<string, { filename?: string; content?: Uint8Array | null }> | null>;
};

/**
 * The texts of the files that a PDF carries: data of an invoice, sources of tables, all of a portfolio. They are under
 * their names and on no page, because the pages that people are told of are those of the PDF itself.
 */
export async function* attachedPieces(parser: PDFParse, readInner: Source['readInner']): AsyncGenerator<Piece> {
  for (const file of await filesOf(parser)) {
    for await (const { page: _page, goesOn: _goesOn, ...piece } of readInner(file)) {
      yield { ...piece, headingPath: [file.name.slice(0, 200), ...piece.headingPath], done: 1 };
    }
  }
}

async function filesOf(parser: PDFParse): Promise<InnerFile[]> {
  const document = (parser as unknown as { doc?: Attachments }).doc;
  // A list of them that is broken is no reason to lose the pages.
  const found = await document?.getAttachments().catch(() => null);
  return Object.values(found ?? {}).flatMap(({ filename, content }) =>
    content ? [{ name: filename || 'attachment', content }] : [],
  );
}
