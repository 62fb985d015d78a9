import { useEffect, useRef } from 'preact/hooks';

import { session } from '../auth/session';
import { api, backoff, ok } from './client';
import type { RunSummary } from './extra';
import { ApiError } from './problem';

export { online } from './online';

type Listener = (runs: readonly RunSummary[]) => void;

/** The Functions host ends a request after some time; an empty answer before that is the heart-beat. */
const WAIT_SECONDS = 25;

/** Runs that may have changed between the first look at a page and the first place in the feed. */
const NEWEST = 50;

const listeners = new Set<Listener>();
let running = false;
/** Kept while nobody listens: what changed meanwhile is told to the next page. */
let cursor: string | undefined;
session.subscribe(() => (cursor = undefined));

function tell(runs: readonly RunSummary[]): void {
  if (runs.length > 0) for (const listener of listeners) listener(runs);
}

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
  let failures = 0;
  while (listeners.size > 0 && session.value) {
    await visible();
    try {
      if (cursor === undefined) {
        cursor = (await ok(api.GET('/changes'))).cursor;
        // What changed before this place, while the page was loading, is not in the feed.
        tell((await ok(api.GET('/runs', { params: { query: { limit: NEWEST } } }))).items);
      } else {
        const changes = await ok(api.GET('/changes', { params: { query: { after: cursor, wait: WAIT_SECONDS } } }));
        cursor = changes.cursor;
        tell(changes.runs);
      }
      failures = 0;
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
