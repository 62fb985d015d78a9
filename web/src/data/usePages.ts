import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { ApiError, asApiError } from '../api/client';
import type { Page } from '../api/extra';

export interface Pages<T> {
  readonly items: readonly T[];
  readonly error: ApiError | null;
  readonly loading: boolean;
  /** Whether there is more to load. */
  readonly more: boolean;
  readonly loadMore: () => void;
  readonly reload: () => void;
  readonly update: (change: (items: readonly T[]) => readonly T[]) => void;
}

interface State<T> {
  readonly key: string;
  readonly items: readonly T[];
  readonly next: string | null;
  readonly error: ApiError | null;
  readonly loading: boolean;
}

const empty = { items: [], next: null, error: null, loading: true };

/** A listing that grows page by page. `key` names what is listed. */
export function usePages<T>(key: string, load: (cursor: string | undefined) => Promise<Page<T>>): Pages<T> {
  const [state, setState] = useState<State<T>>({ key, ...empty });
  const latest = useRef({ state, load, turn: 0 });
  latest.current.state = state;
  latest.current.load = load;

  const fetchPage = useCallback((asked: string, cursor: string | undefined) => {
    const turn = ++latest.current.turn;
    setState((old) => (cursor === undefined ? { key: asked, ...empty } : { ...old, loading: true, error: null }));
    latest.current.load(cursor).then(
      (page) => {
        if (latest.current.turn !== turn) return;
        setState((old) => ({
          key: asked,
          items: cursor === undefined ? page.items : [...old.items, ...page.items],
          next: page.next ?? null,
          error: null,
          loading: false,
        }));
      },
      (error: unknown) => {
        if (latest.current.turn === turn) setState((old) => ({ ...old, error: asApiError(error), loading: false }));
      },
    );
  }, []);

  useEffect(() => {
    fetchPage(key, undefined);
    return () => void (latest.current.turn += 1);
  }, [key, fetchPage]);

  const loadMore = useCallback(() => {
    const { key: asked, next, loading } = latest.current.state;
    if (next !== null && !loading) fetchPage(asked, next);
  }, [fetchPage]);
  const reload = useCallback(() => fetchPage(latest.current.state.key, undefined), [fetchPage]);
  const update = useCallback(
    (change: (items: readonly T[]) => readonly T[]) => setState((old) => ({ ...old, items: change(old.items) })),
    [],
  );

  const fresh = state.key === key ? state : { ...empty, key };
  return { items: fresh.items, error: fresh.error, loading: fresh.loading, more: fresh.next !== null, loadMore, reload, update };
}
