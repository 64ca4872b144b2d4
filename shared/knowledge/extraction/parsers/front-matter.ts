/** A line of Markdown, and whether it belongs to the settings for programs that stand before the text. */
export type MarkdownLine = { text: string; settings: boolean };

/** More lines of settings than anybody writes. */
const maxLines = 1_000;

/** What ends the settings that a text begins with, in YAML or TOML; undefined where it begins with none. */
function endOf(line: string): RegExp | undefined {
  if (line.trimEnd() === '---') return /^(---|\.\.\.)\s*$/;
  return line.trimEnd() === '+++' ? /^\+\+\+\s*$/ : undefined;
}

/** In YAML what is not indented is a name with a value, an item, or a comment. */
const isYaml = (line: string): boolean =>
  /^(\s|#|- |[{}[\]]|$)/.test(line) || /^["']?[\p{L}\p{N}_].*?:(\s|$)/u.test(line);

/**
 * Says of each line whether it is of the settings. A text may also begin with a rule: without an end, or with sentences
 * before it, there are no settings, and the headings are those of the text.
 */
export async function* markSettings(lines: AsyncIterable<{ text: string }>): AsyncGenerator<MarkdownLine> {
  let end: RegExp | undefined;
  let held: string[] | undefined;
  let first = true;
  const release = function* (settings: boolean): Generator<MarkdownLine> {
    for (const text of held ?? []) yield { text, settings };
    held = undefined;
  };
  for await (const { text } of lines) {
    if (first) end = endOf(text);
    if (first && end) held = [text];
    else if (held) {
      held.push(text);
      const wrong = held.length > maxLines || (held[0]?.startsWith('-') && (held[1] === '' || !isYaml(text)));
      if (end?.test(text)) yield* release(true);
      else if (wrong) yield* release(false);
    } else yield { text, settings: false };
    first = false;
  }
  yield* release(false);
}
