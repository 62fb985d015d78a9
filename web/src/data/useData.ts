import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { ApiError, asApiError } from '../api/client';

export interface Data<T> {
  /** What was loaded last; it stays while it is loaded anew or when that fails. */
  readonly data: T | undefined;
  readonly error: ApiError | null;
  readonly loading: boolean;
  readonly reload: () => void;
  /** Takes an answer that came from elsewhere, such as from a change. */
  readonly set: (data: T) => void;
}

interface State<T> {
  readonly key: string;
  readonly data: T | undefined;
  readonly error: ApiError | null;
  readonly loading: boolean;
}

/** Loads what `key` names. A late answer for another key, or of an earlier load, is dropped. */
export function useData<T>(key: string, load: () => Promise<T>): Data<T> {
  const [state, setState] = useState<State<T>>({ key, data: undefined, error: null, loading: true });
  const latest = useRef({ key, load, turn: 0 });
  latest.current.key = key;
  latest.current.load = load;

  const reload = useCallback(() => {
    const turn = ++latest.current.turn;
    const asked = latest.current.key;
    const isCurrent = () => latest.current.turn === turn && latest.current.key === asked;
    setState((old) => (old.key === asked ? { ...old, loading: true } : { key: asked, data: undefined, error: null, loading: true }));
    latest.current.load().then(
      (data) => isCurrent() && setState({ key: asked, data, error: null, loading: false }),
      (error: unknown) => isCurrent() && setState((old) => ({ ...old, key: asked, error: asApiError(error), loading: false })),
    );
  }, []);

  useEffect(() => {
    reload();
    return () => void (latest.current.turn += 1);
  }, [key, reload]);

  const set = useCallback((data: T) => {
    latest.current.turn += 1;
    setState({ key: latest.current.key, data, error: null, loading: false });
  }, []);

  // Between the change of the key and its effect, the old data must not be shown under the new name.
  const fresh = state.key === key ? state : { data: undefined, error: null, loading: true };
  return { data: fresh.data, error: fresh.error, loading: fresh.loading, reload, set };
}
