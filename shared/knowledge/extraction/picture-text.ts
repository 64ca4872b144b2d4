const minWords = 3;
/** What Office adds to descriptions of its own. */
const byOffice = /(?:Description automatically generated|AI-generated content may be incorrect).*$/s;

/** What a picture shows in the words of who put it there; nothing where they are few, as the name of its file. */
export function pictureText(description: string | undefined): string[] {
  const text = description?.replace(byOffice, '').replaceAll(/\s+/g, ' ').trim() ?? '';
  const isSaid = text.split(' ').length >= minWords || /[\u0e00-\u0eff\u3040-\u30ff\u4e00-\u9fff]{4}/.test(text);
  return isSaid ? [text] : [];
}
