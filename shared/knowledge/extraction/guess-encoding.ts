import chardet from 'chardet';
import iconv from 'iconv-lite';
import { decodeBytes } from './decode-file.js';
import { isOfOneLanguage } from './latin-alphabets.js';
import { sampleBytes } from './limits.js';

/**
 * What single-byte or multi-byte encoding a sample that is no UTF-8 is in. `chardet` knows long texts well; of
 * short ones (a table of names) it is unsure, and then the shape of the bytes decides.
 */
export function guessEncoding(bytes: Buffer): string {
  const sample = withoutLines(bytes);
  if (paired(sample) && looksThai(sample)) return 'windows-874';
  const guesses = chardet.analyse(sample).map(({ name, confidence }) => ({ name: nameOf(name), confidence }));
  const sure = guesses.find(({ name, confidence }) => isWide(name) && confidence >= 60);
  if (sure && fits(sample, sure.name)) return sure.name;
  const fair = guesses.find(({ name, confidence }) => !isWide(name) && confidence >= 40);
  if (paired(sample)) return fair?.name ?? wideByShape(sample) ?? byLetters(sample) ?? 'windows-1252';
  const wide = wideByShape(sample);
  if (wide && wide !== 'gb18030') return wide;
  return westernOf(sample, guesses);
}

/** Programs for terminals draw frames of lines: a byte that is repeated is no letter. */
function withoutLines(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return Buffer.from(text.replaceAll(/([\u0080-\u00ff])\1{3,}/g, ''), 'latin1');
}

const aliases: Record<string, string> = {
  'ISO-8859-1': 'windows-1252',
  'ISO-8859-7': 'windows-1253',
  'ISO-8859-8': 'windows-1255',
  'ISO-8859-9': 'windows-1254',
  ASCII: 'windows-1252',
  // The same, but for eight lines of frames that are letters of Ukrainian there.
  'KOI8-R': 'koi8-u',
};
const nameOf = (name: string): string => aliases[name] ?? name.toLowerCase();
const isWide = (name: string): boolean => /^(shift_jis|euc-jp|euc-kr|gb18030|big5)$/.test(name);

/** Whether all but a character cut off at the end can be read. */
function fits(sample: Buffer, encoding: string): boolean {
  const text = iconv.decode(sample, encoding);
  const wrong = text.split('\ufffd').length - 1;
  const cut = sample.length >= sampleBytes ? 1 : 0;
  return wrong <= cut + text.length * 0.001;
}

/** Letters and signs that make up most of any Thai text, as TIS-620 has them; in other encodings they are any bytes. */
const thaiBytes = new Set(Buffer.from('d2b9c3cda1e0a7e8e9d1d5c1c2c7c5b5b7cad4ec', 'hex'));

function looksThai(sample: Buffer): boolean {
  const high = sample.filter((byte) => byte >= 0x80);
  const thai = high.filter((byte) => thaiBytes.has(byte)).length;
  return high.length >= 8 && thai > high.length * 0.6;
}

/** Whether most bytes above ASCII stand beside another one: the script is not Latin. */
function paired(sample: Buffer): boolean {
  let high = 0;
  let beside = 0;
  for (let index = 0; index < sample.length; index += 1) {
    if ((sample[index] ?? 0) < 0x80) continue;
    high += 1;
    if ((sample[index - 1] ?? 0) >= 0x80 || (sample[index + 1] ?? 0) >= 0x80) beside += 1;
  }
  return beside > high * 0.7;
}

/**
 * Each standard puts its everyday characters into one range of lead bytes: the encoding for which nearly all
 * pairs fall into that range is the right one. The order settles ties: Korean syllables fill a part of the
 * Chinese range.
 */
const shapes: { name: string; everyday: (lead: number, trail: number) => boolean }[] = [
  { name: 'euc-kr', everyday: (lead, trail) => trail >= 0xa1 && ((lead >= 0xb0 && lead <= 0xc8) || lead === 0xa1) },
  {
    name: 'euc-jp',
    everyday: (lead, trail) =>
      trail >= 0xa1 && (lead === 0xa1 || lead === 0xa4 || lead === 0xa5 || (lead >= 0xb0 && lead <= 0xcf)),
  },
  {
    name: 'gb18030',
    everyday: (lead, trail) => trail >= 0xa1 && ((lead >= 0xb0 && lead <= 0xd7) || lead === 0xa1 || lead === 0xa3),
  },
  { name: 'big5', everyday: (lead) => lead >= 0xa1 && lead <= 0xc6 && lead !== 0xa2 },
  { name: 'shift_jis', everyday: (lead) => (lead >= 0x81 && lead <= 0x84) || (lead >= 0x88 && lead <= 0x97) },
];

function wideByShape(sample: Buffer): string | undefined {
  let best: { name: string; share: number } | undefined;
  for (const { name, everyday } of shapes) {
    if (!fits(sample, name)) continue;
    let pairs = 0;
    let common = 0;
    let kana = 0;
    let alone = 0;
    for (let index = 0; index < sample.length - 1; index += 1) {
      const lead = sample[index] ?? 0;
      if (lead < 0x80) continue;
      // Half-width katakana are single bytes, but make words: others are quotation marks and letters of old Macs.
      if (name === 'shift_jis' && lead >= 0xa1 && lead <= 0xdf) {
        if ((sample[index - 1] ?? 0) < 0x80 && (sample[index + 1] ?? 0) < 0x80) alone += 1;
        continue;
      }
      const trail = sample[index + 1] ?? 0;
      index += 1;
      pairs += 1;
      if (everyday(lead, trail)) common += 1;
      if (name === 'euc-jp' && (lead === 0xa4 || lead === 0xa5)) kana += 1;
    }
    if (pairs < 2) continue;
    // Without kana nothing tells Japanese from Chinese here, and there is more Chinese.
    if (name === 'euc-jp' && kana < pairs * 0.1) continue;
    const share = common / (pairs + alone);
    if (share > 0.7 && share > (best?.share ?? 0) + 0.001) best = { name, share };
  }
  return best?.name;
}

const scripts: { names: string[]; letters: RegExp; common: string }[] = [
  { names: ['windows-1251', 'koi8-u', 'cp866', 'iso-8859-5'], letters: /\p{Script=Cyrillic}/u, common: 'оеаинтсрвл' },
  { names: ['windows-1253'], letters: /\p{Script=Greek}/u, common: 'αοιετσνηυρ' },
  { names: ['windows-1255'], letters: /\p{Script=Hebrew}/u, common: 'יוהלארתבשמ' },
  { names: ['windows-1256'], letters: /\p{Script=Arabic}/u, common: 'اليمونرتبه' },
  { names: ['windows-874'], letters: /\p{Script=Thai}/u, common: 'านรกอเงมยล' },
];

/** The encoding in which the bytes are mostly frequent letters of one script, and small ones. */
function byLetters(sample: Buffer): string | undefined {
  let best: { name: string; score: number } | undefined;
  for (const { names, letters, common } of scripts) {
    for (const name of names) {
      let score = 0;
      let before = '';
      for (const letter of iconv.decode(sample, name)) {
        if (letter < '\u0080') before = '';
        else {
          const isLetter = letters.test(letter);
          score += isLetter ? 1 : -1;
          if (common.includes(letter.toLowerCase())) score += letter === letter.toLowerCase() ? 1 : 0.5;
          if (isLetter && before && letter !== letter.toLowerCase() && before === before.toLowerCase()) score -= 2;
          before = isLetter ? letter : '';
        }
      }
      if (score > (best?.score ?? 0)) best = { name, score };
    }
  }
  return best?.name;
}

/** Windows writes these; what `chardet` says decides among them. */
const latin = ['windows-1252', 'windows-1250', 'windows-1254', 'windows-1257', 'windows-1258'];
/** Unix, old Macs and DOS wrote these: for texts that read wrongly in all of the others. */
const olderLatin = ['iso-8859-15', 'iso-8859-2', 'macintosh', 'cp850', 'cp852'];
/**
 * Signs that stand beside words, not inside of them, a capital in the middle of a word, what is no character, and a sign
 * for any currency, which nobody writes: it was the place of the euro.
 */
const misread =
  /\u00a4|\p{L}[\u00a0-\u00b4\u00b6-\u00bf\u0080-\u009f\u02c6-\u02dd\u201a-\u2022\u2044\u20ac\u2500-\u25ff]\p{Ll}|\p{Ll}(?![A-Z])\p{Lu}\p{Ll}|[\u0081\u008d\u008f\u0090\u009d\ufffd]/gu;

/** Western Europe, unless the words read wrongly in it or another part of Europe fits clearly better. */
function westernOf(sample: Buffer, guesses: { name: string; confidence: number }[]): string {
  const confidence = new Map(guesses.toReversed().map((guess) => [guess.name, guess.confidence]));
  const western = (confidence.get('windows-1252') ?? 0) + 5;
  const ranked = [...latin, ...olderLatin].map((name) => ({
    name,
    wrong: decodeBytes(sample, name).match(misread)?.length ?? 0,
    // Hungarian and Lithuanian read well as Western letters, but as those of no one language.
    strange: isOfOneLanguage(decodeBytes(sample, name), name) ? 0 : 1,
    score: name === 'windows-1252' ? western : (confidence.get(name) ?? 0),
    old: olderLatin.includes(name) ? 1 : 0,
  }));
  const [best] = ranked.toSorted(
    (a, b) => a.wrong - b.wrong || a.strange - b.strange || a.old - b.old || b.score - a.score,
  );
  return best?.name ?? 'windows-1252';
}
