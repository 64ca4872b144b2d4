import type { PDFParse } from 'pdf-parse';

/** What is used of the library's pages, which its types keep private. */
type Pages = {
  getPage(number: number): Promise<{ getAnnotations(): Promise<Annotation[]> }>;
};

type Annotation = {
  subtype?: string;
  hidden?: boolean;
  password?: boolean;
  fieldType?: string;
  fieldName?: string;
  alternativeText?: string;
  fieldValue?: unknown;
  contentsObj?: { str?: string };
};

const maxAnnotations = 2_000;

/** What was filled into the fields of a page and noted on it: it is no part of the page's own text. */
export async function annotationsOf(parser: PDFParse, page: number): Promise<string> {
  const document = (parser as unknown as { doc?: Pages }).doc;
  if (!document) return '';
  // Broken ones are no reason to lose the page.
  const annotations = await document
    .getPage(page)
    .then((found) => found.getAnnotations())
    .catch((): Annotation[] => []);
  const lines = annotations.slice(0, maxAnnotations).map(lineOf);
  return [...new Set(lines)].filter((line) => line !== '').join('\n');
}

function lineOf(annotation: Annotation): string {
  // What a link says of itself is the text that it lies on, or where it leads.
  if (annotation.hidden || annotation.password || annotation.subtype === 'Link') return '';
  if (annotation.subtype !== 'Widget') return annotation.contentsObj?.str?.trim() ?? '';
  const { fieldValue, alternativeText, fieldName } = annotation;
  const value = (Array.isArray(fieldValue) ? fieldValue : [fieldValue])
    .filter((each): each is string => typeof each === 'string')
    .join(', ')
    .trim();
  // A box that is not ticked, and one that nobody has filled in.
  if (value === '' || value === 'Off') return '';
  const name = alternativeText?.trim() || fieldName?.trim();
  return name ? `${name}: ${value}` : value;
}
