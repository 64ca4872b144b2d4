import MarkdownIt from 'markdown-it';

/** What Markdown is made into. */
export type Rendered = 'html' | 'txt';

/**
 * HTML within the text is shown as text, and links that could run something are none: others wrote it. Addresses are
 * links only where they are written as such: finding others took 3.2 s in 40,000 characters of `//a.b/`.
 */
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });

/** The time it takes grows with the square of the length in the worst case: `![` again and again, 1 MB of it, takes 11 s. */
export function render(text: { title: string; content: string }, format: Rendered): string {
  return format === 'html' ? htmlPage(text.title, markdown.render(text.content)) : plainText(text.content);
}

const htmlPage = (title: string, body: string): string =>
  `<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>${markdown.utils.escapeHtml(title)}</title>\n` +
  `</head>\n<body>\n${body}</body>\n</html>\n`;

/** What is read, without the signs of Markdown. */
function plainText(content: string): string {
  const blocks: string[] = [];
  let prefix = '';
  let row: string[] | null = null;
  const lists: { next: number | null }[] = [];
  const add = (text: string): void => {
    blocks.push(prefix + text);
    prefix = '';
  };
  for (const token of markdown.parse(content, {})) {
    if (token.type === 'bullet_list_open') lists.push({ next: null });
    else if (token.type === 'ordered_list_open') lists.push({ next: Number(token.attrGet('start') ?? 1) });
    else if (token.type === 'bullet_list_close' || token.type === 'ordered_list_close') lists.pop();
    else if (token.type === 'list_item_open') prefix = markerOf(lists);
    else if (token.type === 'list_item_close') prefix = '';
    else if (token.type === 'tr_open') row = [];
    else if (token.type === 'tr_close') {
      add(row?.join('\t') ?? '');
      row = null;
    } else if (token.type === 'inline') {
      const text = inlineText(token.children ?? []);
      if (row) row.push(text);
      else add(text);
    } else if (token.type === 'fence' || token.type === 'code_block') add(token.content.replace(/\n$/, ''));
  }
  return blocks.length > 0 ? `${blocks.join('\n\n')}\n` : '';
}

function markerOf(lists: { next: number | null }[]): string {
  const list = lists.at(-1);
  const indent = '  '.repeat(Math.max(lists.length - 1, 0));
  if (!list || list.next === null) return `${indent}- `;
  list.next += 1;
  return `${indent}${list.next - 1}. `;
}

type Inline = NonNullable<ReturnType<typeof markdown.parse>[number]['children']>;

function inlineText(children: Inline): string {
  return children
    .map(({ type, content }) =>
      type === 'softbreak' || type === 'hardbreak' ? '\n' : type === 'html_inline' ? '' : content,
    )
    .join('');
}
