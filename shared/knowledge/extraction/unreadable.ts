import { createReadStream } from 'node:fs';
import { ExtractionFailed } from './failure.js';
import { adviceFor } from './other-kinds.js';

const readable =
  'PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx), CSV, HTML, Markdown, text and e-mail (.eml) files';
/** What files are named that can be read. */
const known = /\.(pdf|docx|pptx|xlsx|csv|tsv|html?|md|markdown|txt|log|eml)$/i;
const compoundFile = 'application/x-cfb';

/** What to say of a file that is of none of the known types; `label` is what it seems to be, `name` how it is called. */
export async function unreadable(path: string, label: string | undefined, name = ''): Promise<ExtractionFailed> {
  if (label === compoundFile) {
    // An office file with a password is wrapped into the container of the old formats.
    if (await contains(path, Buffer.from('EncryptedPackage', 'utf16le'))) {
      return new ExtractionFailed('encrypted', 'The file is encrypted: it can only be opened with a password.');
    }
    if (await contains(path, Buffer.from('__substg1.0_', 'utf16le'))) {
      const advice = 'Save it as .eml and upload it again.';
      return new ExtractionFailed('unknown_type', `Outlook messages (.msg) cannot be read. ${advice}`);
    }
    const advice = 'Save it as .docx, .pptx or .xlsx and upload it again.';
    return new ExtractionFailed('unknown_type', `The file is of an old Office format that cannot be read. ${advice}`);
  }
  const advice = adviceFor(label);
  if (advice) return new ExtractionFailed('unknown_type', advice);
  const ending = known.exec(name)?.[0];
  if (ending && !label) {
    const reason = `The file is named ${ending}, but its content is not of that kind: it may be damaged or have a wrong name.`;
    return new ExtractionFailed('unknown_type', reason);
  }
  const what = label ? ` (${label})` : '';
  return new ExtractionFailed('unknown_type', `Files of this kind${what} cannot be read. ${readable} can.`);
}

async function contains(path: string, wanted: Buffer): Promise<boolean> {
  let carry = Buffer.alloc(0);
  for await (const bytes of createReadStream(path)) {
    const window = Buffer.concat([carry, bytes as Buffer]);
    if (window.includes(wanted)) return true;
    carry = window.subarray(-wanted.length);
  }
  return false;
}
