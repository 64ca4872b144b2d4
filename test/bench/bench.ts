import type { Result } from './report.js';
import type { Stage } from './stage/stage.js';

/** What the command line says beside the name. */
export type BenchOptions = {
  /** A recorded editing trace. */
  trace?: string | undefined;
};

/** Measures one promise on a fresh stage. */
export type Bench = {
  /** One line for the list of benches. */
  about: string;
  run(stage: Stage, options: BenchOptions): Promise<Result>;
};
