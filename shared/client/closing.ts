import type { Off } from './emitter.js';

/** Says once that everything is over. Like an AbortSignal, but any number may wait for it. */
export type Closing = {
  readonly closed: boolean;
  /** Not called when it is closed already. */
  onClose(listener: () => void): Off;
  close(): void;
  /** Waits for `ms` milliseconds, or until it is closed. Never rejects. */
  pause(ms: number): Promise<void>;
};

export function createClosing(): Closing {
  const listeners = new Set<() => void>();
  let closed = false;

  function onClose(listener: () => void): Off {
    if (!closed) listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  return {
    get closed() {
      return closed;
    },
    onClose,
    close() {
      closed = true;
      for (const listener of [...listeners]) listener();
      listeners.clear();
    },
    pause(ms) {
      if (closed) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          off();
          resolve();
        };
        const timer = setTimeout(done, ms);
        const off = onClose(done);
      });
    },
  };
}
