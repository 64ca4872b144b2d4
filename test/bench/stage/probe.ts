/**
 * Loaded before the entry of every process of a bench: tells the processor time that the process has used, in
 * milliseconds. The process itself runs unchanged.
 */
import { answerQuestions } from './messages.js';

answerQuestions({
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
});
// Being asked must not keep a process alive that has nothing else to do.
process.channel?.unref();
