import MarkdownIt from 'markdown-it';

/** Formats that a document can be had in. */
export const exportFormats = ['md', 'html', 'txt'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** HTML within the text is shown as text, and links that could run something are none: others wrote it. */
const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false });

/** A document as a file. */
export function exportDocument(
  { title, content }: { title: string; content: string },
  format: ExportFormat,
): { contentType: string; body: string } {
  switch (format) {
    case 'md':
      return { contentType: 'text/markdown; charset=utf-8', body: content };
    case 'html':
      return { contentType: 'text/html; charset=utf-8', body: htmlPage(title, markdown.render(content)) };
    case 'txt':
      return { contentType: 'text/plain; charset=utf-8', body: plainText(content) };
  }
}

const htmlPage = (title: string, body: string): string =>
  `<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>${markdown.utils.escapeHtml(title)}</title>\n` +
  `</head>\n<body>\n${body}</body>\n</html>\n`;

/** What is read, without the signs of Markdown. */
function plainText(content: string): string {
  const blocks: string[] = [];
  let prefix = '';
  const lists: { next: number | null }[] = [];
  for (const token of markdown.parse(content, {})) {
    if (token.type === 'bullet_list_open') lists.push({ next: null });
    else if (token.type === 'ordered_list_open') lists.push({ next: Number(token.attrGet('start') ?? 1) });
    else if (token.type === 'bullet_list_close' || token.type === 'ordered_list_close') lists.pop();
    else if (token.type === 'list_item_open') prefix = markerOf(lists);
    else if (token.type === 'inline') {
      blocks.push(prefix + inlineText(token.children ?? []));
      prefix = '';
    } else if (token.type === 'fence' || token.type === 'code_block') blocks.push(token.content.replace(/\n$/, ''));
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

/** A name for the file, safe in a header: what ASCII cannot say is told in the second form. */
export function dispositionOf(title: string, format: ExportFormat): string {
  // Through bytes, so that half of a surrogate pair is no half any more.
  const name = Buffer.from(`${title.replaceAll(/[/\\:*?"<>|]/g, '-')}.${format}`).toString();
  const ascii = name.replaceAll(/[^\x20-\x7e]/g, '_').replaceAll(/["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
