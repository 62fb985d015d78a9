import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../api/client';
import type { Page } from '../api/extra';

export interface Pages<T> {
  readonly items: readonly T[];
  readonly error: ApiError | null;
  /** The first page is on its way. */
  readonly loading: boolean;
  /** All pages are here. */
  readonly complete: boolean;
  /** Loads the next page, if there is one and none is on its way. */
  readonly more: () => void;
  /** Begins again; what is shown stays until the first page is there. */
  readonly reload: () => void;
  /** Changes what is shown, such as one item that a live change brought. */
  readonly update: (change: (items: readonly T[]) => readonly T[]) => void;
}

interface State<T> {
  readonly items: readonly T[];
  readonly error: ApiError | null;
  readonly loading: boolean;
  readonly next: string | null;
}

/** A listing by opaque cursor, page by page. */
export function usePages<T>(load: (cursor: string | undefined) => Promise<Page<T>>, keys: readonly unknown[]): Pages<T> {
  const [state, setState] = useState<State<T>>({ items: [], error: null, loading: true, next: null });
  const latest = useRef(load);
  latest.current = load;
  const turn = useRef(0);
  const busy = useRef(false);

  const fetchPage = useCallback((cursor: string | undefined) => {
    const mine = ++turn.current;
    busy.current = true;
    latest.current(cursor).then(
      (page) => {
        if (mine !== turn.current) return;
        busy.current = false;
        setState((old) => ({
          items: cursor === undefined ? page.items : [...old.items, ...page.items],
          error: null,
          loading: false,
          next: page.next ?? null,
        }));
      },
      (error: unknown) => {
        if (mine !== turn.current) return;
        busy.current = false;
        setState((old) => ({ ...old, error: asApiError(error), loading: false }));
      },
    );
  }, []);
  const reload = useCallback(() => fetchPage(undefined), []);

  useEffect(() => {
    setState({ items: [], error: null, loading: true, next: null });
    reload();
    return () => void (turn.current += 1);
  }, keys);

  const more = useCallback(() => {
    if (state.next !== null && !busy.current) fetchPage(state.next);
  }, [state.next]);
  const update = useCallback((change: (items: readonly T[]) => readonly T[]) => {
    setState((old) => ({ ...old, items: change(old.items) }));
  }, []);

  return { items: state.items, error: state.error, loading: state.loading, complete: !state.loading && state.next === null, more, reload, update };
}
