import { useEffect } from 'preact/hooks';

import { request } from '../../api/client';
import type { Page, RunSummary } from '../../api/extra';
import { useChanges } from '../../api/live';
import { usePages, type Pages } from '../../ui';
import { matches, merge, toQuery, toSearch, type RunFilter } from './filter';

const PAGE = 100;
/** Rows that fill a window: a filter that the API does not know may leave fewer of a page. */
const ENOUGH = 40;

/** The runs of a filter, kept up to date. */
export function useRuns(filter: RunFilter): Pages<RunSummary> {
  const pages = usePages<RunSummary>(
    async (cursor) => {
      const query = new URLSearchParams({ ...toQuery(filter), limit: String(PAGE), ...(cursor ? { cursor } : {}) });
      const page = await request<Page<RunSummary>>('GET', `/runs?${query}`);
      return { ...page, items: page.items.filter((run) => matches(filter, run)) };
    },
    [toSearch(filter)],
  );
  useChanges((changed) => pages.update((items) => merge(filter, items, changed)));
  useEffect(() => {
    if (pages.items.length < ENOUGH && !pages.complete && !pages.error) pages.more();
  }, [pages.items, pages.complete, pages.error]);
  return pages;
}
