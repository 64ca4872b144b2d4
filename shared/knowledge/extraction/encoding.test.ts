import iconv from 'iconv-lite';
import { expect, it } from 'vitest';
import { decodeBytes } from './decode-file.js';
import { encodingOfBytes } from './encoding.js';

const texts: [encoding: string, text: string][] = [
  ['utf-8', 'naïve café, 你好'],
  ['utf-16le', 'я и ты, plain words'],
  ['utf-16be', 'plain words'],
  ['windows-1252', 'Das war köstlich! Größe über alles, schöne Grüße aus München.'],
  ['windows-1252', 'Le café est très cher à côté de l’église, été comme hiver.'],
  ['windows-1252', 'Preis: 5 €'],
  ['iso-8859-15', 'Größe 38, Preis: 5 €'],
  ['iso-8859-15', 'Le prix est de 5 € à la séance.'],
  ['windows-1250', 'Příliš žluťoučký kůň úpěl ďábelské ódy'],
  ['windows-1250', 'Zażółć gęślą jaźń, czyli polskie znaki w tekście.'],
  ['windows-1251', 'Съешь же ещё этих мягких французских булок'],
  ['koi8-r', 'Съешь же ещё этих мягких французских булок'],
  ['koi8-r', 'Привет, мир'],
  ['windows-1253', 'Η Ελλάδα είναι μια χώρα της Ευρώπης.'],
  ['windows-1255', 'שלום עולם, זה מסמך בעברית'],
  ['windows-1256', 'مرحبا بالعالم هذا نص باللغة العربية'],
  ['shift_jis', '名前,年齢,住所\n佐藤太郎,30,東京'],
  ['euc-jp', '吾輩は猫である。名前はまだ無い。'],
  ['gbk', '姓名,年龄\n张三,30'],
  ['big5', '我們的公司在台北，主要做軟體。'],
  ['euc-kr', '이름,나이\n김철수,30'],
];

it.each(texts)('reads %s without being told: %s', (encoding, text) => {
  const bytes = iconv.encode(text, encoding);
  expect(decodeBytes(bytes, encodingOfBytes(bytes))).toBe(text);
});

it('reads ISO-2022-JP, whose bytes are all ASCII', () => {
  const bytes = Buffer.from('\u001b$B%F%9%H\u001b(B');
  expect(decodeBytes(bytes, encodingOfBytes(bytes))).toBe('テスト');
});

it('believes what a page declares, unless its bytes are UTF-8 or it names no encoding of text', () => {
  const cyrillic = iconv.encode('да', 'koi8-r');
  expect(encodingOfBytes(cyrillic, 'KOI8-R')).toBe('koi8-r');
  expect(encodingOfBytes(Buffer.from('да'), 'iso-8859-1')).toBe('utf-8');
  expect(encodingOfBytes(cyrillic, 'base64')).not.toBe('base64');
});
