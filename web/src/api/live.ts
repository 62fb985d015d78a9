import { useEffect, useRef } from 'preact/hooks';

import { session } from '../auth/session';
import { backoff, request } from './client';
import type { RunSummary } from './extra';
import { ApiError } from './problem';

export { online } from './online';

interface Changes {
  readonly runs: readonly RunSummary[];
  readonly cursor: string;
}

type Listener = (runs: readonly RunSummary[]) => void;

/** The Functions host ends a request after some time; an empty answer before that is the heart-beat. */
const WAIT_SECONDS = 25;

const listeners = new Set<Listener>();
let running = false;

/** Until the tab is seen again: nobody looks at a hidden one, and the cursor loses nothing. */
function visible(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const check = () => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', check);
      resolve();
    };
    document.addEventListener('visibilitychange', check);
  });
}

/** Waits, but not longer than until the browser is back on the network. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener('online', done);
  });
}

/** One poll at a time for all listeners of this tab. */
async function poll(): Promise<void> {
  running = true;
  let cursor: string | undefined;
  let failures = 0;
  while (listeners.size > 0 && session.value) {
    await visible();
    try {
      const query: string = cursor === undefined ? '' : `?after=${encodeURIComponent(cursor)}&wait=${WAIT_SECONDS}`;
      const changes = await request<Changes>('GET', `/changes${query}`);
      cursor = changes.cursor;
      failures = 0;
      if (changes.runs.length > 0) for (const listener of listeners) listener(changes.runs);
    } catch (error) {
      // A cursor that is no longer good: begin again from now.
      if (error instanceof ApiError && error.status === 400) cursor = undefined;
      failures += 1;
      await pause(Math.max(1000, backoff(failures + 2)));
    }
  }
  running = false;
}

/** Calls back with the runs that changed, as they change; a change of a case is one of its run. */
export function useChanges(callback: Listener): void {
  const latest = useRef(callback);
  latest.current = callback;
  useEffect(() => {
    const listener: Listener = (runs) => latest.current(runs);
    listeners.add(listener);
    if (!running) void poll();
    return () => void listeners.delete(listener);
  }, []);
}
