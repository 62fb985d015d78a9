import { useEffect, useState } from 'preact/hooks';

import type { HeldRow } from '../../api/extra';
import { usePages, type Pages } from '../../ui';
import { listRows } from '../api';

/** So many rows are read at once: enough for groups to be whole in all but the largest cases. */
const EAGER = 20_000;

export interface Rows extends Pages<HeldRow> {
  /** Reading stopped before the end; null while it goes on, or once all rows are here. */
  readonly readAll: (() => void) | null;
}

/** The rows of a case, the first thousands without being asked. */
export function useRows(caseId: string, digest: string): Rows {
  const [wantsAll, setWantsAll] = useState(false);
  const pages = usePages<HeldRow>((cursor) => listRows(caseId, cursor), [caseId, digest]);
  const goesOn = wantsAll || pages.items.length < EAGER;
  useEffect(() => {
    if (!pages.error && goesOn) pages.more();
  }, [pages, goesOn]);
  return { ...pages, readAll: goesOn || pages.complete ? null : () => setWantsAll(true) };
}
