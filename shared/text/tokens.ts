/** Longer runs of letters are hashes or encoded data: their beginning is enough to find them again. */
const maxTokenLength = 64;

/** Scripts that put no spaces between words, or glue particles to them. */
const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー`;
/** A run of an unspaced script; a number with its decimals, or a version; a word of any other script. */
const token = new RegExp(
  String.raw`([${unspaced}\p{M}]+)|v?(\d+(?:[.]\d+)+)|(?:(?![${unspaced}])[\p{L}\p{N}\p{M}])+`,
  'gu',
);
const beyondAscii = /[\u0080-\uffff]/;
const diacritics = /[\u0300-\u036f]/g;
const letters: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
};
const special = /[ßæœøłđðþıς]/g;

/** The text without differences of case, accents, width and ligatures. */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  if (!beyondAscii.test(lower)) return lower;
  return lower
    .normalize('NFKD')
    .replace(diacritics, '')
    .normalize('NFC')
    .replace(special, (letter) => letters[letter] ?? letter);
}

/** Words as they stand in the text, folded; and the runs of unspaced scripts, which hold words without marking them. */
export type Tokens = { words: string[]; runs: string[] };

export function tokenize(text: string): Tokens {
  const words: string[] = [];
  const runs: string[] = [];
  for (const match of fold(text).matchAll(token)) {
    const [word, run, number] = match;
    if (run === undefined) words.push((number ?? word).slice(0, maxTokenLength));
    else runs.push(run);
  }
  return { words, runs };
}

/** Pairs of neighbouring characters, which find words that nothing separates; of a single character, itself. */
export function bigrams(run: string): string[] {
  const characters = [...run];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}
