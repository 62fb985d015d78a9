import { useEffect } from 'preact/hooks';

import type { HeldRow } from '../../api/extra';
import { usePages, type Pages } from '../../ui';
import { listRows } from '../api';

/** So many rows are read at once: enough for groups to be whole in all but the largest cases. */
const EAGER = 20_000;

/** The rows of a case, the first thousands without being asked. */
export function useRows(caseId: string, digest: string): Pages<HeldRow> {
  const pages = usePages<HeldRow>((cursor) => listRows(caseId, cursor), [caseId, digest]);
  useEffect(() => {
    if (!pages.error && pages.items.length < EAGER) pages.more();
  }, [pages]);
  return pages;
}
