/**
 * Where a quote stands in a text: word for word, but for white space and the hyphens that part a word at the end of a
 * line. What is quoted has been through the hands of a model and of a service that joins pieces.
 *
 * @returns the place in the text, in UTF-16 code units; null when the quote is not there, or has no letter.
 */
export function findQuote(text: string, quote: string): { start: number; end: number } | null {
  const trimmed = quote.trim();
  const exact = trimmed === '' ? -1 : text.indexOf(trimmed);
  if (exact >= 0 && carriesText(trimmed)) return { start: exact, end: exact + trimmed.length };
  const wanted = essenceOf(quote);
  if (!carriesText(wanted.characters)) return null;
  const whole = essenceOf(text);
  const at = whole.characters.indexOf(wanted.characters);
  if (at < 0) return null;
  const last = whole.places[at + wanted.characters.length - 1] as number;
  return { start: whole.places[at] as number, end: last + 1 };
}

const carriesText = (value: string): boolean => /[\p{L}\p{N}]/u.test(value);

/** White space, hyphens of every kind, and what is not seen at all: soft hyphens and marks of zero width. */
const passing = /[\s\u002d\u00ad\u200b-\u200d\u2010\u2011\u2060\ufeff]/;

/** What is left without that, and where each code unit of it stands. */
function essenceOf(text: string): { characters: string; places: number[] } {
  const places: number[] = [];
  let characters = '';
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charAt(index);
    if (passing.test(unit)) continue;
    characters += unit;
    places.push(index);
  }
  return { characters, places };
}
