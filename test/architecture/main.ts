import { violations } from './rules.js';
import { readSources } from './source.js';
import { heavyLoads } from './web-process.js';

/** Entry of the architecture part of `npm run check`; run it in the folder of the project. */
const sources = readSources(process.cwd());
const found = [...violations(sources), ...heavyLoads(sources)];
for (const { file, message } of found) console.error(`${file} ${message}.`);
console.log(`architecture: ${sources.length} files, ${found.length} violations`);
process.exitCode = found.length > 0 ? 1 : 0;
