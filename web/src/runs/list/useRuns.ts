import { useMemo } from 'preact/hooks';

import { api, ok } from '../../api/client';
import type { RunSummary } from '../../api/extra';
import { useChanges } from '../../api/live';
import { usePages, type Pages } from '../../ui';
import { merge, toQuery, toSearch, type RunFilter } from './filter';

const PAGE = 100;

/** The runs of a filter, kept up to date. */
export function useRuns(filter: RunFilter): Pages<RunSummary> {
  // Every page of a list is asked for with the same query.
  const query = useMemo(() => toQuery(filter, Date.now()), [toSearch(filter)]);
  const pages = usePages<RunSummary>(
    (cursor) => ok(api.GET('/runs', { params: { query: { ...query, limit: PAGE, ...(cursor !== undefined && { cursor }) } } })),
    [query],
  );
  useChanges((changed) => pages.update((items) => merge(filter, items, changed)));
  return pages;
}
