/** Letters beyond ASCII of languages that are written with Latin ones, as single bytes have them. */
const alphabets: Record<string, string[]> = {
  western: [
    'äöüß',
    'àâæçéèêëîïôœùûüÿ',
    'áéíñóúüªº',
    'áâãàçéêíóôõúüªº',
    'àèéìíîòóùú',
    'áéëïóöüèê',
    'æøåéèàòôüöä',
    'åäöéàüšž',
    'áðéíóúýþæö',
    'àçèéíïòóúü',
    'äõöüšž',
  ],
  central: ['ąćęłńóśźż', 'áčďéěíňóřšťúůýž', 'áäčďéíĺľňóôŕšťúýž', 'áéíóöőúüű', 'ăâîşţșț', 'čćđšž'],
  baltic: ['ąčęėįšųūž', 'āčēģīķļņšūž'],
  turkish: ['çğıöşüâîû'],
};

const regions: Record<string, string> = {
  'windows-1250': 'central',
  'iso-8859-2': 'central',
  cp852: 'central',
  'windows-1257': 'baltic',
  'windows-1254': 'turkish',
};

/** Whether the letters of a text that was read in this encoding are those of one language that it was made for. */
export function isOfOneLanguage(text: string, encoding: string): boolean {
  const letters =
    text
      .toLowerCase()
      .match(/[^\0-\u007f]/gu)
      ?.filter((letter) => /\p{L}/u.test(letter)) ?? [];
  const foreign = letters.length * 0.01;
  return (alphabets[regions[encoding] ?? 'western'] ?? []).some(
    (alphabet) => letters.filter((letter) => !alphabet.includes(letter)).length <= foreign,
  );
}
