import { describe, expect, test } from 'vitest';
import { findQuote } from './find-quote.js';

describe('findQuote', () => {
  const text = 'Intro.\n\nThe mill-\nrace  drives\n\tthe wheel. A well\u00adkept wheel lasts.';
  test.each([
    ['word for word', 'Intro.', 'Intro.'],
    ['with other white space', 'race drives the wheel.', 'race  drives\n\tthe wheel.'],
    ['without the hyphen of the end of a line', 'The millrace drives', 'The mill-\nrace  drives'],
    ['with a hyphen that only shows at the end of a line', 'A wellkept wheel', 'A well\u00adkept wheel'],
    ['joined from pieces without what is between', 'Intro.The mill-', 'Intro.\n\nThe mill'],
    ['with white space around it', '  the wheel.\n', 'the wheel.'],
  ])('%s', (_name, quote, expected) => {
    const found = findQuote(text, quote);
    expect(found && text.slice(found.start, found.end)).toBe(expected);
  });

  test.each([
    ['other words', 'The mill stands still.'],
    ['another case', 'THE WHEEL'],
    ['no letter', ' - \n'],
    ['nothing but punctuation', '.'],
    ['nothing', ''],
  ])('not %s', (_name, quote) => expect(findQuote(text, quote)).toBeNull());
});
