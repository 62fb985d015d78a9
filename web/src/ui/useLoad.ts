import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../api/client';

export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: ApiError | null;
  readonly loading: boolean;
  /** Loads again; what is shown stays until the answer is there. */
  readonly reload: () => void;
  readonly setData: (data: T) => void;
}

/** Loads something whenever `keys` change. An answer that comes late does not replace a newer one. */
export function useLoad<T>(load: () => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data: T | undefined; error: ApiError | null; loading: boolean }>({
    data: undefined,
    error: null,
    loading: true,
  });
  const turn = useRef(0);
  const latest = useRef(load);
  latest.current = load;

  const reload = useCallback(() => {
    const mine = ++turn.current;
    setState((old) => ({ ...old, loading: true }));
    latest.current().then(
      (data) => mine === turn.current && setState({ data, error: null, loading: false }),
      (error: unknown) => mine === turn.current && setState((old) => ({ ...old, error: asApiError(error), loading: false })),
    );
  }, []);
  const setData = useCallback((data: T) => {
    turn.current += 1;
    setState({ data, error: null, loading: false });
  }, []);

  useEffect(() => {
    setState({ data: undefined, error: null, loading: true });
    reload();
    return () => void (turn.current += 1);
  }, keys);

  return { ...state, reload, setData };
}
