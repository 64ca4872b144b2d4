import * as Y from 'yjs';
import { applyChanges, diffText, type TextChange } from './diff-text.js';
import { contentOf } from './log.js';

/**
 * What became of a part of a suggestion. One that was taken back is not offered again; one is stale when it was to be
 * accepted and somebody else had replaced or deleted what it was about.
 */
export type HunkState = 'open' | 'accepted' | 'rejected' | 'undone' | 'stale';

/** A part of a suggestion that is accepted or rejected by itself: changes on the same lines. */
export type Hunk = {
  /** Places in the text of the suggestion's base. */
  changes: TextChange[];
  original: string;
  replacement: string;
  /** Relative positions of Yjs: where it is in the document as it is by now. In base64. */
  start: string;
  end: string;
  state: HunkState;
};

/**
 * Cuts a rewrite into hunks.
 *
 * @param doc the base of the suggestion.
 * @param range the part of its text that was rewritten.
 */
export function makeHunks(doc: Y.Doc, range: { start: number; end: number }, rewritten: string): Hunk[] {
  const text = contentOf(doc);
  const content = text.toString();
  const changes = diffText(content.slice(range.start, range.end), rewritten).map((change) => ({
    ...change,
    at: change.at + range.start,
  }));
  return groupByLine(content, changes).map((group) => {
    const start = group[0]?.at ?? 0;
    const last = group.at(-1);
    const end = last ? last.at + last.remove : start;
    const inside = group.map((change) => ({ ...change, at: change.at - start }));
    return {
      changes: group,
      original: storable(content.slice(start, end)),
      replacement: applyChanges(content.slice(start, end), inside),
      start: positionAt(text, start, 0),
      end: positionAt(text, end, -1),
      state: 'open',
    };
  });
}

/** Changes with nothing but part of a line between them are one hunk: single letters are nothing to decide about. */
function groupByLine(content: string, changes: TextChange[]): TextChange[][] {
  const groups: TextChange[][] = [];
  for (const change of changes) {
    const group = groups.at(-1);
    const before = group?.at(-1);
    if (before && !content.slice(before.at + before.remove, change.at).includes('\n')) group?.push(change);
    else groups.push([change]);
  }
  return groups;
}

function positionAt(text: Y.Text, index: number, assoc: number): string {
  const position = Y.createRelativePositionFromTypeIndex(text, index, assoc);
  return Buffer.from(Y.encodeRelativePosition(position)).toString('base64');
}

/** Postgres takes neither NUL nor half a surrogate pair in a text; this one is shown, never applied. */
const storable = (value: string): string => Buffer.from(value.replaceAll('\u0000', '\ufffd')).toString();
