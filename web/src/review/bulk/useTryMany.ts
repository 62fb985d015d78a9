import { useCallback, useEffect, useReducer, useRef } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import { tryRows, type TriedRow } from '../api';
import { MOST_TRIED } from '../row/useTry';
import type { Change } from './changes';

/** A pause in typing of this length asks the engine. */
const DEBOUNCE = 350;

export interface TriedMany {
  /** By row number; grows while the engine works. */
  readonly rows: ReadonlyMap<number, TriedRow>;
  readonly done: boolean;
  readonly error: ApiError | null;
  /** Goes on after an error. */
  readonly retry: () => void;
}

interface Work {
  readonly rows: Map<number, TriedRow>;
  done: boolean;
  error: ApiError | null;
}

const begin = (): Work => ({ rows: new Map(), done: false, error: null });

/** What the engine says of all these rows, a hundred at a time. Nothing is stored. */
export function useTryMany(caseId: string, digest: string, changes: readonly Change[]): TriedMany {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [attempt, retry] = useReducer((n: number) => n + 1, 0);
  const work = useRef<{ of: readonly Change[]; work: Work }>({ of: changes, work: begin() });
  if (work.current.of !== changes) work.current = { of: changes, work: begin() };
  const state = work.current.work;

  useEffect(() => {
    let current = true;
    state.error = null;
    const run = async () => {
      const open = changes.filter(({ row }) => !state.rows.has(row.row));
      for (let at = 0; at < open.length; at += MOST_TRIED) {
        const batch = open.slice(at, at + MOST_TRIED);
        const asked = Object.fromEntries(batch.map(({ row, values }) => [row.row, values]));
        const answer = await tryRows(caseId, digest, asked);
        if (!current) return;
        for (const row of answer.rows) state.rows.set(row.row, row);
        redraw(0);
      }
      state.done = true;
      redraw(0);
    };
    const timer = setTimeout(
      () =>
        void run().catch((error: unknown) => {
          if (!current) return;
          state.error = asApiError(error);
          redraw(0);
        }),
      DEBOUNCE,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [caseId, digest, changes, attempt]);

  return { ...state, done: state.done || changes.length === 0, retry: useCallback(() => retry(0), []) };
}
