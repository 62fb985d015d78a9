/** Tries again with growing pauses; a browser that says it is offline is waited for. */

import { BlobFault } from './blob';

const ATTEMPTS = 8;
const LONGEST_MS = 20_000;

/** Until the time is over or the network is back, whichever comes first. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}

function online(signal: AbortSignal): Promise<void> {
  return navigator.onLine ? Promise.resolve() : pause(2 ** 31 - 1, signal);
}

/** `onWait` hears whether the work stands still until the connection is back. */
export async function retried<T>(work: () => Promise<T>, signal: AbortSignal, onWait: (waiting: boolean) => void): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await work();
      onWait(false);
      return result;
    } catch (error) {
      if (!(error instanceof BlobFault) || !error.transient) throw error;
      onWait(true);
      // While the browser is offline no attempt is counted: a closed laptop goes on the next morning.
      if (!navigator.onLine) {
        await online(signal);
        attempt = 0;
      } else if (attempt >= ATTEMPTS) throw error;
      else await pause(Math.min(500 * 2 ** attempt, LONGEST_MS) * (0.5 + Math.random() / 2), signal);
    }
  }
}
