import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Prints, as the very last line of a run, `tests: N passed, M failed`. M counts failed test cases and all else
 * that fails a run (a file that does not load, a failed hook, an unhandled error): it is 0 only if the run succeeds.
 */
export default class ClosingLine implements Reporter {
  private passed = 0;
  private failed = 0;

  onInit(): void {
    // Not when the tests end: the shared servers are stopped after that, and that can fail too.
    process.once('exit', (code) => {
      const failed = this.failed === 0 && code !== 0 ? 1 : this.failed;
      writeLine(`tests: ${this.passed} passed, ${failed} failed`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const states = tests.map((test) => test.result().state);
    this.passed = states.filter((state) => state === 'passed').length;
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const errorsOfSuites = suites.reduce((sum, suite) => sum + suite.errors().length, 0);
    this.failed = states.filter((state) => state === 'failed').length + errorsOfSuites + unhandled.length;
  }
}

/** A pipe whose reader is slow refuses a write for a moment. */
function writeLine(line: string): void {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
    }
  }
}
