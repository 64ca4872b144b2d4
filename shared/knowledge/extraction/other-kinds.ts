type Kind = { name: string; advice: string };

const saveAs = (ending: string): string => `Save it as ${ending} and upload it again.`;
const archive: Kind = { name: 'Archives', advice: 'Unpack it and upload the files that are in it.' };

/** What people try to upload and how they get its text in all the same, by its media type. */
const kinds: Record<string, Kind> = {
  'application/rtf': { name: 'Rich Text (.rtf) files', advice: saveAs('.docx') },
  'application/vnd.oasis.opendocument.text': { name: 'OpenDocument texts (.odt)', advice: saveAs('.docx') },
  'application/vnd.oasis.opendocument.spreadsheet': { name: 'OpenDocument tables (.ods)', advice: saveAs('.xlsx') },
  'application/vnd.oasis.opendocument.presentation': { name: 'OpenDocument slides (.odp)', advice: saveAs('.pptx') },
  'application/epub+zip': { name: 'Books of the kind .epub', advice: saveAs('.pdf or .html') },
  'application/zip': archive,
  'application/gzip': archive,
  'application/x-tar': archive,
  'application/x-7z-compressed': archive,
  'application/x-rar-compressed': archive,
};

const picture: Kind = {
  name: 'Pictures',
  advice: 'Run text recognition (OCR) on it and upload what that makes of it.',
};

/** What to say about a file of a kind that is well known and not read; undefined where there is nothing to advise. */
export function adviceFor(mediaType: string | undefined): string | undefined {
  if (mediaType === undefined) return undefined;
  // A template, or a text for the web, is one of the same program.
  const kind = mediaType.startsWith('image/') ? picture : (kinds[mediaType] ?? kinds[mediaType.replace(/-\w+$/, '')]);
  return kind && `${kind.name} cannot be read. ${kind.advice}`;
}
