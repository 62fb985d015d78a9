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
  readonly of: readonly Change[];
  readonly rows: Map<number, TriedRow>;
  error: ApiError | null;
}

/** What was answered for the same values is still true: only rows that are new or changed are asked for. */
function goOn(before: Work | null, changes: readonly Change[]): Work {
  const rows = new Map<number, TriedRow>();
  if (before && before.rows.size > 0) {
    const asked = new Map(before.of.map(({ row, values }) => [row.row, JSON.stringify(values)]));
    for (const { row, values } of changes) {
      const tried = before.rows.get(row.row);
      if (tried && asked.get(row.row) === JSON.stringify(values)) rows.set(row.row, tried);
    }
  }
  return { of: changes, rows, error: null };
}

/** What the engine says of all these rows, a hundred at a time. Nothing is stored. */
export function useTryMany(caseId: string, digest: string, changes: readonly Change[]): TriedMany {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [attempt, retry] = useReducer((n: number) => n + 1, 0);
  const latest = useRef<Work | null>(null);
  if (latest.current?.of !== changes) latest.current = goOn(latest.current, changes);
  const work = latest.current!;

  useEffect(() => {
    let current = true;
    work.error = null;
    const run = async () => {
      const open = changes.filter(({ row }) => !work.rows.has(row.row));
      for (let at = 0; at < open.length; at += MOST_TRIED) {
        const asked = Object.fromEntries(open.slice(at, at + MOST_TRIED).map(({ row, values }) => [row.row, values]));
        const answer = await tryRows(caseId, digest, asked);
        if (!current) return;
        for (const row of answer.rows) work.rows.set(row.row, row);
        redraw(0);
      }
    };
    const timer = setTimeout(() => {
      run().catch((error: unknown) => {
        if (!current) return;
        work.error = asApiError(error);
        redraw(0);
      });
    }, DEBOUNCE);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [caseId, digest, changes, attempt]);

  return { rows: work.rows, done: work.rows.size === changes.length, error: work.error, retry: useCallback(() => retry(0), []) };
}
