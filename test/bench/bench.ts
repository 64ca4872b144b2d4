import type { Result } from './report.js';
import type { Stage } from './stage/stage.js';

/** What the command line says beside the name. */
export type BenchOptions = {
  /** A recorded editing trace. */
  trace?: string | undefined;
  /** A folder with what is to be measured. */
  data?: string | undefined;
  /** Only the part about files, only the one about replies; neither or both: all. */
  files?: boolean | undefined;
  replies?: boolean | undefined;
};

/** Measures one promise on a fresh stage. */
export type Bench = {
  /** One line for the list of benches. */
  about: string;
  /** It measures what somebody gives it: --data has to be there. */
  needsData?: boolean;
  run(stage: Stage, options: BenchOptions): Promise<Result>;
};
