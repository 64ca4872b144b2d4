import { expect, it } from 'vitest';
import { detectLanguage } from './detect-language.js';

it.each([
  ['en', 'experimental investigation of the aerodynamics of a wing in a slipstream, with a study by the authors'],
  ['en', 'The ratio of ACTH to hydrocortisone in vitro was 3.1 (p < 0.05) and that of insulin was not altered by it.'],
  ['de', 'Der schnelle braune Fuchs springt über den faulen Hund und läuft dann in den Wald hinein.'],
  ['fr', 'Le renard brun saute par-dessus le chien paresseux et il est très content de la journée.'],
  ['nl', 'Het is een mooie dag in Amsterdam, maar niemand was er om dat met ons te vieren of te zien.'],
  ['ru', 'Съешь же ещё этих мягких французских булок, да выпей чаю'],
  ['ja', '吾輩は猫である。名前はまだ無い。'],
  ['zh', '他们在北京工作，主要做软件。这是一个测试文件。'],
  ['ko', '안녕하세요. 우리 회사는 서울에 있습니다.'],
])('%s: %s', (language, text) => {
  expect(detectLanguage(text)).toBe(language);
});

it.each(['', '12 | 34 | 56', 'foo', '2024-01-01'])('does not guess about %j', (text) => {
  expect(detectLanguage(text)).toBeNull();
});
