import { describe, expect, it } from 'vitest';
import { line, shownText } from './schemas.js';

describe.each([
  ['a line', line(100)],
  ['a text', shownText(100)],
])('%s', (_, schema) => {
  it.each([
    '',
    ' ',
    '\u200b',
    '\u200e\u202e',
    '\u2066\u2069',
    '\u3164',
    '\u115f\u1160',
    '\u00ad',
    '\ufe0f',
    '\u2800 \ufeff',
  ])('of which nothing is to be seen is refused: %j', (value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });
  it.each(['a', '.', '\u0600', '\u200fשלום', '👩\u200d💻', '한', '\ue000'])('is taken as it is: %j', (value) => {
    expect(schema.parse(value)).toBe(value);
  });
});
