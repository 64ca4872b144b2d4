/** Words that hold sentences together: most of what is written consists of them. */
const common =
  'the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over me even most made after also did many before must through'.split(
    ' ',
  );
const syllables =
  'ba ber con dar del el fen gar hol im jun ka lor mar men nor ol pe qua ra ret sal ser sti ta ter tor un ver vi wen yor zan'.split(
    ' ',
  );

/** Numbers from 0 to 1, always the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** How many words there are beside the common ones; the n-th is n times as rare as the first, as in any language. */
const vocabulary = 20_000;

function rareWord(random: () => number): string {
  let n = Math.floor(vocabulary ** random());
  let word = '';
  do {
    word += syllables[n % syllables.length] ?? '';
    n = Math.floor(n / syllables.length);
  } while (n > 0);
  return word + (syllables[word.length % syllables.length] ?? '');
}

function madeSentence(random: () => number): string {
  const words = Array.from({ length: 8 + Math.floor(random() * 18) }, () =>
    random() < 0.45 ? (common[Math.floor(random() * common.length)] ?? '') : rareWord(random),
  );
  const text = words.join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** A Markdown text of about so many characters, with headings and paragraphs; another seed makes another text. */
export function madeText(seed: number, characters: number): string {
  const random = randomOf(seed);
  const lines: string[] = [`# ${madeSentence(random)}`];
  for (let length = 0; length < characters; length += lines.at(-1)?.length ?? 0) {
    if (random() < 0.12) lines.push(`## ${madeSentence(random).slice(0, 60)}`);
    lines.push(Array.from({ length: 3 + Math.floor(random() * 5) }, () => madeSentence(random)).join(' '));
  }
  return lines.join('\n\n');
}

/** What somebody might look for in such texts. */
export function madeQuery(random: () => number): string {
  return Array.from({ length: 3 + Math.floor(random() * 5) }, () => rareWord(random)).join(' ');
}
