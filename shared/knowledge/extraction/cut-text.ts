/** The place in `text` at or before `limit` where it is cut best: a paragraph, a line, a sentence, a word. */
export function cutAt(text: string, limit: number): number {
  if (text.length <= limit) return text.length;
  const from = Math.floor(limit / 2);
  for (const border of ['\n\n', '\n', '. ', '。', ' ']) {
    const found = text.lastIndexOf(border, limit - border.length);
    if (found >= from) return found + border.length;
  }
  return wholeCharacter(text, limit);
}

/** `index`, or one less when it would part a surrogate pair. */
export function wholeCharacter(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff && index > 0 ? index - 1 : index;
}
