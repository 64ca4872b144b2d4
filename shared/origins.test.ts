import { expect, test } from 'vitest';
import { toOrigin } from './origins.js';

test.each([
  ['https://app.example.com', 'https://app.example.com'],
  ['https://App.example.com:443/', 'https://app.example.com'],
  ['http://localhost:5173/', 'http://localhost:5173'],
  ['capacitor://localhost', 'capacitor://localhost'],
  ['null', 'null'],
  ['*', '*'],
])('%s is the origin %s', (written, origin) => {
  expect(toOrigin(written)).toBe(origin);
});

test.each([
  'app.example.com',
  'localhost:5173',
  'https://app.example.com/app',
  'https://*.example.com',
  'https://a/?b',
])('%s is none', (written) => {
  expect(toOrigin(written)).toBeNull();
});
