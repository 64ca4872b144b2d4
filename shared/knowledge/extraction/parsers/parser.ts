import type { Limits } from '../limits.js';
import type { ResumePoint } from '../part.js';
import type { Piece } from '../piece.js';

/** A file that a parser reads. */
export type Source = {
  path: string;
  /** In bytes. */
  size: number;
  limits: Limits;
  from?: ResumePoint | undefined;
  /** To be told how many pages, slides or sheets there are, once that is known. */
  onPages: (pages: number) => void;
  /** To be told that reading gets on, where that finds no text for long. */
  onAdvance: () => void;
  readInner: ReadInner;
};

/** A file inside of another one, as what came with a mail. */
export type InnerFile = { name: string; content: Uint8Array };

/** Gives out what is found in it, and nothing when it cannot be read. */
export type ReadInner = (file: InnerFile) => AsyncIterable<Piece>;

/** Gives out what it finds while it reads, in the order of the file; throws `ExtractionFailed`. */
export type Parser = (source: Source) => AsyncIterable<Piece>;
