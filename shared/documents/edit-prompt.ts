/** What Claude is told about rewriting; the same for every edit, so that it can be cached. */
export const editSystemPrompt =
  'You edit a document of a team, written in Markdown. You are given the document with one passage marked, and an ' +
  'instruction. Answer with the new text of the passage and nothing else: no introduction, no comment, no quotation ' +
  'marks or code fence around it, and without the marks. Leave unchanged what the instruction does not ask to ' +
  'change. Write in the language of the passage unless told otherwise.';

/** How much of the document around the passage Claude sees, in UTF-16 units on each side. */
const around = 20_000;

/** The request as one turn. The instruction comes last, after everything that it is about. */
export function editTurn(input: {
  title: string;
  content: string;
  start: number;
  end: number;
  instruction: string;
}): string {
  const { title, content, start, end, instruction } = input;
  const before = content.slice(Math.max(0, start - around), start);
  const after = content.slice(end, end + around);
  return (
    `<title>${title}</title>\n<document>\n${before}<passage>${content.slice(start, end)}</passage>${after}\n</document>\n\n` +
    `Rewrite the passage as this instruction says:\n\n${instruction}`
  );
}

/** The answer as the new passage: models trim what they say, the document keeps its white space around it. */
export function passageFrom(answer: string, original: string): string {
  const trimmed = answer.trim().replace(/^<passage>([^]*)<\/passage>$/, '$1');
  const lead = /^\s*/.exec(original)?.[0] ?? '';
  const tail = /\S(\s*)$/.exec(original)?.[1] ?? '';
  return lead + trimmed.trim() + tail;
}
