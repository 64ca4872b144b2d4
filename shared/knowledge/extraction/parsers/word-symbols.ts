/** The letters of the font Symbol from A and from a, in its order. */
const greek = { 0x41: 'ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ', 0x61: 'αβχδεφγηιϕκλμνοπθρστυϖωξψζ' };

const signs: Record<string, Record<number, string>> = {
  symbol: {
    0xa3: '≤',
    0xa5: '∞',
    0xac: '←',
    0xae: '→',
    0xb0: '°',
    0xb1: '±',
    0xb3: '≥',
    0xb4: '×',
    0xb7: '•',
    0xb8: '÷',
    0xb9: '≠',
    0xbb: '≈',
    0xd0: '∠',
    0xd6: '√',
    0xde: '⇒',
    0xe5: '∑',
  },
  wingdings: { 0x6f: '☐', 0xa8: '☐', 0xe0: '→', 0xfb: '✗', 0xfc: '✓', 0xfd: '☒', 0xfe: '☑' },
};

/** The letter or sign of a font of symbols that Word names by its place there; nothing where it is only drawn. */
export function wordSymbol(font: string, place: string): string {
  // Word adds F000, where no other font has signs.
  const code = Number.parseInt(place, 16) % 0x1000;
  const name = font.toLowerCase();
  if (name === 'symbol') {
    for (const [first, letters] of Object.entries(greek)) {
      const letter = letters[code - Number(first)];
      if (letter) return letter;
    }
  }
  return signs[name]?.[code] ?? '';
}
