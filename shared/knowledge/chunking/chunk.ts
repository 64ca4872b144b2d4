import type { ExtractedPart, ResumePoint } from '../extraction/part.js';
import { detectLanguage } from './detect-language.js';
import { sizesFor, splitText, type Span } from './split-text.js';

/** A passage that is embedded, found and cited. */
export type Chunk = {
  /** Its number in the version, from 0. */
  index: number;
  /** `extractedText.slice(charStart, charEnd)`. */
  text: string;
  /** A chunk lies on one page, sheet or slide. */
  page: number | null;
  sheet: string | null;
  slide: number | null;
  headingPath: string[];
  charStart: number;
  charEnd: number;
  /** ISO 639-1; null when it cannot be told. */
  language: string | null;
  /** How much of the file has been read, from 0 to 1. */
  done: number;
  /** Where to go on after this chunk; absent where that is not possible. */
  checkpoint?: Checkpoint | undefined;
};

/** A place after so many chunks: reading again from `resume` gives the same chunks as going on would have. */
export type Checkpoint = { chunks: number; resume: ResumePoint; language: string | null };

/** The parts of one page that are cut together, with nothing between them. */
type Group = { parts: ExtractedPart[]; chars: number };

/**
 * Cuts extracted text into chunks while it comes. Holds one part at a time, or a few short ones; the same parts
 * give the same chunks.
 */
export async function* chunk(
  parts: AsyncIterable<ExtractedPart>,
  since?: Pick<Checkpoint, 'chunks'> & Partial<Checkpoint>,
): AsyncGenerator<Chunk> {
  let index = since?.chunks ?? 0;
  let language = since?.language ?? null;
  let group: Group | undefined;

  function* flush(): Generator<Chunk> {
    if (!group) return;
    const { text, language: found, spans } = cut(group.parts);
    language = found ?? language;
    const [first] = group.parts;
    const last = group.parts.at(-1);
    for (const [at, span] of spans.entries()) {
      const charStart = (first?.charStart ?? 0) + span.start;
      const charEnd = (first?.charStart ?? 0) + span.end;
      const passage = text.slice(span.start, span.end);
      const ends = at === spans.length - 1;
      yield {
        index,
        text: passage,
        page: first?.page ?? null,
        sheet: first?.sheet ?? null,
        slide: first?.slide ?? null,
        headingPath: headingOf(group.parts, charStart, charEnd),
        charStart,
        charEnd,
        language,
        done: last?.done ?? 1,
        checkpoint: ends && last?.resume ? { chunks: index + 1, resume: last.resume, language } : undefined,
      };
      index += 1;
    }
    group = undefined;
  }

  for await (const part of parts) {
    if (group && !belongs(group, part)) yield* flush();
    group ??= { parts: [], chars: 0 };
    group.parts.push(part);
    group.chars += part.text.length;
  }
  yield* flush();
}

/** Whether a part is cut together with those before it: short ones of the same page are. */
function belongs(group: Group, part: ExtractedPart): boolean {
  const first = group.parts[0];
  if (!first) return true;
  if (part.page !== first.page || part.sheet !== first.sheet || part.slide !== first.slide) return false;
  return group.chars < sizesFor(first.text).min;
}

function cut(parts: ExtractedPart[]): { text: string; language: string | null; spans: Span[] } {
  const text = parts.map((part) => part.text).join('');
  return { text, language: detectLanguage(text), spans: splitText(text, sizesFor(text)) };
}

const dominantShare = 0.6;

/** The headings of the part that makes up most of a passage; else those that all of its parts share. */
function headingOf(parts: ExtractedPart[], charStart: number, charEnd: number): string[] {
  const inside = parts.filter((part) => part.charEnd > charStart && part.charStart < charEnd);
  const shares = (part: ExtractedPart): number =>
    (Math.min(part.charEnd, charEnd) - Math.max(part.charStart, charStart)) / (charEnd - charStart);
  const dominant = inside.find((part) => shares(part) >= dominantShare);
  if (dominant) return dominant.headingPath;
  const [first, ...others] = inside.map((part) => part.headingPath);
  const common = (first ?? []).findIndex((heading, at) => others.some((path) => path[at] !== heading));
  return common < 0 ? (first ?? []) : (first ?? []).slice(0, common);
}
