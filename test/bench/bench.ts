import type { Result } from './report.js';
import type { Stage } from './stage/stage.js';

/** Measures one promise on a fresh stage. */
export type Bench = {
  /** One line for the list of benches. */
  about: string;
  run(stage: Stage): Promise<Result>;
};
