import { useEffect, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import { tryRows, type TriedRow, type Values } from '../api';

/** A pause in typing of this length asks the engine. */
const DEBOUNCE = 250;
/** Most rows of one request, as the API has it. */
export const MOST_TRIED = 100;

export interface Tried {
  readonly rows: ReadonlyMap<number, TriedRow>;
  readonly error: ApiError | null;
  /** The answer is not of the values as they are now. */
  readonly pending: boolean;
}

const NOTHING: Tried = { rows: new Map(), error: null, pending: false };

/** What the engine says of these rows with these values, while they are typed. Nothing is stored. */
export function useTry(caseId: string, digest: string, rows: readonly number[], values: Values): Tried {
  const [tried, setTried] = useState<Tried>(NOTHING);
  const key = JSON.stringify([digest, rows, values]);
  useEffect(() => {
    if (Object.keys(values).length === 0) {
      setTried(NOTHING);
      return;
    }
    let current = true;
    setTried((old) => ({ ...old, pending: true }));
    const timer = setTimeout(() => {
      const asked = Object.fromEntries(rows.slice(0, MOST_TRIED).map((row) => [row, values]));
      tryRows(caseId, digest, asked).then(
        (answer) => current && setTried({ rows: new Map(answer.rows.map((row) => [row.row, row])), error: null, pending: false }),
        (error: unknown) => current && setTried({ rows: new Map(), error: asApiError(error), pending: false }),
      );
    }, DEBOUNCE);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [caseId, key]);
  return tried;
}
