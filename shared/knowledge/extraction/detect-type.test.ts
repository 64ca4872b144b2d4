import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { detectType } from './detect-type.js';

const mail =
  'From: Ada <ada@example.org>\r\nTo: Bo <bo@example.org>\r\nSubject: Lunch\r\nMIME-Version: 1.0\r\n\r\nAt one?';

describe('the type of a file', () => {
  it.each([
    ['pdf', Buffer.from('%PDF-1.7\n%âãÏÓ\n'), 'letter.docx'],
    ['pdf', Buffer.from('\r\nHTTP/1.1 200 OK\r\n\r\n%PDF-1.4\n1 0 obj\n<< >>\nendobj\n'), 'report.pdf'],
    ['pdf', Buffer.from('\u0001\u0002junk%PDF-1.4\n', 'latin1'), 'report.pdf'],
    ['markdown', Buffer.from('# Formats\n\nA PDF begins with `%PDF-1.7`.\n'), 'formats.md'],
    ['text', Buffer.from('%PDF- is what it begins with.\n'), 'formats.txt'],
    ['html', Buffer.from('\n<!DOCTYPE html><html><body>Hi</body></html>'), 'page.txt'],
    ['html', Buffer.from('<p>A fragment with <b>tags</b></p>'), 'page.html'],
    ['html', Buffer.from('<table border=1><tr><td>A</td></tr></table>'), 'export.xls'],
    ['text', Buffer.from('<p>is how a paragraph begins</p>'), 'notes.txt'],
    ['eml', Buffer.from(mail), undefined],
    ['markdown', Buffer.from('# Title\n\nText'), 'README.md'],
    ['csv', Buffer.from('a;b\n1;2\n'), 'table.csv'],
    ['csv', Buffer.from('a,b,c\n1,2,3\n4,5,6\n7,8,9\n'), undefined],
    ['text', Buffer.from('a,b,c\n1,2,3\n4,5,6\n7,8,9\n'), 'notes.txt'],
    ['text', Buffer.from('BM is how a bitmap begins, and this is none.'), 'notes.bmp'],
    ['text', iconv.encode('wide words\nwithout a mark', 'utf-16le'), undefined],
    ['text', iconv.encode('吾輩は猫である。', 'shift_jis'), 'neko.txt'],
    [
      'docx',
      Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(26), Buffer.from('word/document.xml')]),
      'x.zip',
    ],
    ['unknown', Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(26), Buffer.from('holiday.jpg')]), 'x.docx'],
    ['unknown', Buffer.alloc(1_000), 'zeros.txt'],
    ['unknown', Buffer.from('{\\rtf1\\ansi text}'), 'x.txt'],
    ['unknown', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]), 'x.txt'],
  ])('%s comes from the content', async (type, head, name) => {
    expect(await detectType(head, name)).toBe(type);
  });
});
