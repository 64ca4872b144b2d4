import { parentPort, workerData } from 'node:worker_threads';
import { render } from './render.js';

/** What a thread is given: the arguments of `render`. */
export type RenderTask = { text: Parameters<typeof render>[0]; format: Parameters<typeof render>[1] };

const { text, format } = workerData as RenderTask;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- of a thread, not of a window
parentPort?.postMessage(render(text, format));
