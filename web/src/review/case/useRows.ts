import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import type { HeldRow } from '../../api/extra';
import { listRows } from '../api';

/** So many rows are read at once: enough for groups to be whole in all but the largest cases. */
const EAGER = 20_000;
/** Pages come faster than anybody reads: they are shown together, so often. */
const SHOW_MS = 500;

export interface Rows {
  readonly items: readonly HeldRow[];
  readonly error: ApiError | null;
  /** The first page is on its way. */
  readonly loading: boolean;
  /** All rows are here. */
  readonly complete: boolean;
  /** Reads one page more, unless one is on its way. */
  readonly more: () => void;
  /** Reads the others, too; null while they are read, and where none are left. */
  readonly readAll: (() => void) | null;
  /** Goes on after an error. */
  readonly retry: () => void;
}

interface State {
  readonly items: readonly HeldRow[];
  readonly error: ApiError | null;
  readonly started: boolean;
  /** Cursor of the next page; null at the end. */
  readonly next: string | null | undefined;
  readonly reading: boolean;
}

const FRESH: State = { items: [], error: null, started: false, next: undefined, reading: true };

/** The rows of a case, the first thousands without being asked. */
export function useRows(caseId: string, digest: string): Rows {
  const [state, setState] = useState<State>(FRESH);
  const latest = useRef(state);
  latest.current = state;
  const turn = useRef(0);

  /** Reads page after page from where it stands, until there are so many rows. */
  const read = useCallback(
    async (from: State, until: number) => {
      const mine = ++turn.current;
      let { items, next } = from;
      let shown = from.started ? performance.now() : -SHOW_MS;
      setState({ ...from, error: null, reading: true });
      try {
        do {
          const page = await listRows(caseId, next ?? undefined);
          if (mine !== turn.current) return;
          items = [...items, ...page.items];
          next = page.next ?? null;
          if (performance.now() - shown < SHOW_MS) continue;
          shown = performance.now();
          setState({ items, next, error: null, started: true, reading: true });
        } while (next !== null && items.length < until);
        setState({ items, next, error: null, started: true, reading: false });
      } catch (error) {
        if (mine === turn.current) setState({ items, next, error: asApiError(error), started: true, reading: false });
      }
    },
    [caseId],
  );

  useEffect(() => {
    void read(FRESH, EAGER);
    return () => void (turn.current += 1);
  }, [read, digest]);

  const go = useCallback((until: number) => {
    const now = latest.current;
    if (!now.reading && now.next !== null) void read(now, until);
  }, [read]);
  const more = useCallback(() => {
    if (!latest.current.error) go(latest.current.items.length + 1);
  }, [go]);

  const complete = state.started && state.next === null;
  return {
    items: state.items,
    error: state.error,
    loading: !state.started,
    complete,
    more,
    readAll: state.reading || complete || state.error ? null : () => go(Infinity),
    retry: () => go(latest.current.items.length + EAGER),
  };
}
