import { expect, it } from 'vitest';
import { signsOf, withSigns } from './number-signs.js';

const shown = (code: string, number: string): string => {
  const signs = signsOf(code);
  return signs ? withSigns(number, signs) : number;
};

it.each([
  ['00000', '1234', '01234'],
  ['00000\\-0000', '12345678', '01234-5678'],
  ['000\\-00\\-0000', '123456789', '123-45-6789'],
  ['(000) 000-0000', '2125551234', '(212) 555-1234'],
  ['"INV-"0000', '17', 'INV-0017'],
  ['0" kg"', '12', '12 kg'],
  ['0.0\\ "°C"', '21.3', '21.3 °C'],
  ['General "Stk."', '3', '3 Stk.'],
])('%s makes of %s what its cell shows: %s', (code, number, cell) => {
  expect(shown(code, number)).toBe(cell);
});

it.each([
  ['$#,##0.00', '1234.5', '$1234.5'],
  ['_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', '-7', '-$7'],
  ['#,##0.00 [$€-407];[RED]-#,##0.00 [$€-407]', '1234.5', '1234.5 €'],
  ['#\\ ##0.00\\ "zł"', '1234567.5', '1234567.5 zł'],
  ['[$CHF] #,##0.00', '5', 'CHF 5'],
  ['#,##0.00\\ "€"', '1e+21', '1e+21 €'],
])('%s gives %s its currency, and leaves it as it is: %s', (code, number, cell) => {
  expect(shown(code, number)).toBe(cell);
});

it.each([
  '0.00',
  '#,##0',
  '0',
  '# ?/?',
  '0.0,,"M"',
  '0.00E+00',
  '[=1]"yes";[=0]"no"',
  '"Yes";"No"',
  ';;;',
  '@',
  '0;(0)',
  '0 "h" 00 "min"',
])('%s leaves a number as it is', (code) => expect(shown(code, '1234567')).toBe('1234567'));
