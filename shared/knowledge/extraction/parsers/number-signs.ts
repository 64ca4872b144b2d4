/** What a format writes around a number and between its digits. */
export type Signs = {
  before: string;
  /** Of numbers that are names, as postcodes: a zero for each digit that is always there, and what parts them. */
  mask?: string | undefined;
  after: string;
};

/** Excel takes no longer one. */
const maxCodeChars = 255;

/** Placeholders of digits, from the first to the last one. */
const digits = /[0#?](?:.*[0#?])?/s;

/**
 * The signs that a format code has: a currency, a unit, leading zeros. How many decimals a number has and what parts its
 * thousands is left to the number itself, which is found and understood by everybody as it is.
 */
export function signsOf(code: string): Signs | undefined {
  const [first = ''] = code.slice(0, maxCodeChars).split(/;(?=(?:[^"]*"[^"]*")*[^"]*$)/);
  // It is shown so under a condition only, in another scale, as a fraction or as a power.
  if (/\[[<>=]/.test(first) || /[0#?][.,0#?]*,(?![0#?])|[?#0] *\/|E[+-]/i.test(first.replaceAll(quoted, ''))) return;
  const kept: string[] = [];
  // Literals are put aside: they may have signs that are placeholders elsewhere.
  const shape = first.replaceAll(token, (some: string) => {
    kept.push(literalOf(some));
    return '\u0000';
  });
  const plain = shape.replace(/general/i, '#');
  const found = digits.exec(plain);
  if (!found) return;
  const literal = (text: string): string => text.replaceAll('\u0000', () => kept.shift() ?? '');
  const before = literal(plain.slice(0, found.index)).trimStart();
  const inner = literal(found[0]);
  const after = literal(plain.slice(found.index + found[0].length)).trimEnd();
  const mask = /^0[0 /()-]*0$/.test(inner) ? inner : undefined;
  if (!mask && !/^[0#?,.'\s]+$/.test(inner)) return;
  return before || mask || after ? { before, mask, after } : undefined;
}

const quoted = /"[^"]*"|\\./g;
/** Quoted and escaped texts, currencies, colours, and spaces as wide as a letter or as the cell. */
const token = /"[^"]*"|\\.|\[[^\]]*\]|_.|\*./g;

function literalOf(some: string): string {
  if (some.startsWith('"')) return some.slice(1, -1);
  if (some.startsWith('\\')) return some.slice(1);
  return /^\[\$([^\]-]*)/.exec(some)?.[1] ?? '';
}

/** A number, written out, with the signs of its format. */
export function withSigns(text: string, { before, mask, after }: Signs): string {
  const sign = text.startsWith('-') ? '-' : '';
  const size = text.slice(sign.length);
  return `${sign}${before}${mask && /^\d+$/.test(size) ? masked(size, mask) : size}${after}`;
}

/** The digits in the places of the mask, from its end. */
function masked(number: string, mask: string): string {
  let left = number;
  let result = '';
  for (const sign of Array.from(mask).reverse()) {
    result = (sign === '0' ? left.slice(-1) || '0' : sign) + result;
    if (sign === '0') left = left.slice(0, -1);
  }
  return left + result;
}
