import { expect, test } from 'vitest';
import { attachment } from './attachment.js';

test.each([
  ['plain.txt', `filename="plain.txt"; filename*=UTF-8''plain.txt`],
  ['a "b" 50%\\.pdf', `filename="a _b_ 50__.pdf"; filename*=UTF-8''a%20%22b%22%2050%25%5C.pdf`],
  [`it's (a) *.md`, `filename="it's (a) *.md"; filename*=UTF-8''it%27s%20%28a%29%20%2A.md`],
  ['Grüße\r\n.md', `filename="Gr__e__.md"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%0D%0A.md`],
  ['half \ud83d', `filename="half _"; filename*=UTF-8''half%20%EF%BF%BD`],
])('the name %j is safe in a header', (name, parameters) => {
  expect(attachment(name)).toBe(`attachment; ${parameters}`);
});
