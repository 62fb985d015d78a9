import { useState } from 'preact/hooks';
import { useLocation, useSearch } from 'wouter-preact';

import { online } from '../../api/live';
import { Badge, Button, Empty, ErrorPanel, Page, Skeleton, Tabs, useShortcuts, VirtualTable } from '../../ui';
import { COLUMNS } from './columns';
import { fromSearch, toSearch, VIEWS, type RunFilter, type View } from './filter';
import { FilterBar } from './FilterBar';
import { useRuns } from './useRuns';

const EMPTY: Readonly<Record<View, { readonly title: string; readonly text: string }>> = {
  all: { title: 'No file has come yet', text: 'A run appears here as soon as a partner has uploaded a file.' },
  inFlight: { title: 'Nothing is in flight', text: 'Every file that came has been worked through, or waits for people.' },
  reviewing: { title: 'Nothing waits for people', text: 'Runs with held rows appear here until every case is decided.' },
  stuck: { title: 'Nothing is stuck', text: 'A run appears here when one of its messages ended in a dead-letter queue.' },
  quiet: { title: 'Everything moves', text: 'A run appears here when Sluice works on it and nothing about it has changed for 15 minutes. The sweep brings such runs forward by itself; one that stays here needs a look.' },
  failed: { title: 'No run failed', text: 'Runs that broke for a reason other than their data appear here.' },
  rejected: { title: 'No file was rejected', text: 'Files that were refused as a whole appear here, each with the reason that its partner is told.' },
  completed: { title: 'No run is completed yet', text: 'Runs appear here once they are published and archived.' },
  cancelled: { title: 'No run was cancelled', text: 'Runs that an operator stopped appear here.' },
};

/** Every run, newest first, as it changes. */
export function RunList() {
  const [, navigate] = useLocation();
  const filter = fromSearch(useSearch());
  const runs = useRuns(filter);
  const [active, setActive] = useState<string | null>(null);
  const apply = (change: Partial<RunFilter>) => navigate(`/runs${toSearch({ ...filter, ...change })}`, { replace: true });
  const open = (runId: string) => navigate(`/runs/${runId}`);
  const move = (step: number) => {
    const at = runs.items.findIndex((run) => run.runId === active);
    const to = runs.items[Math.min(Math.max(at + step, 0), runs.items.length - 1)];
    if (to) setActive(to.runId);
  };
  useShortcuts({
    j: { label: 'Next run', run: () => move(1) },
    k: { label: 'Previous run', run: () => move(-1) },
    Enter: { label: 'Open the run', run: () => active && open(active), off: active === null },
    r: { label: 'Load again', run: runs.reload },
  });
  const isFiltered = filter.partner !== '' || filter.pipeline !== '' || filter.path !== '';
  return (
    <Page
      title="Runs"
      fill
      actions={
        <>
          <span class="run-live"><Badge tone={online.value ? 'good' : 'warn'}>{online.value ? 'Live' : 'No connection'}</Badge></span>
          <Button icon="refresh" onClick={runs.reload} aria-label="Load again" />
        </>
      }
    >
      <Tabs
        label="Which runs"
        tabs={VIEWS.map((view) => ({ key: view.id, label: view.label }))}
        current={filter.view}
        onChange={(view) => apply({ view: view as View })}
      >
        <div class="runs-panel">
          <FilterBar filter={filter} onChange={apply} />
          {runs.error && <ErrorPanel error={runs.error} title="The list of runs cannot be loaded" onRetry={runs.reload} />}
          {runs.loading ? (
            <Skeleton label="Loading runs" />
          ) : runs.items.length === 0 && runs.complete && !runs.error ? (
            <Empty
              icon={isFiltered ? 'filter' : 'run'}
              title={isFiltered ? 'No run fits the filter' : EMPTY[filter.view].title}
              {...(isFiltered ? { action: <Button onClick={() => apply({ partner: '', pipeline: '', path: '' })}>Clear the filter</Button> } : {})}
            >
              {isFiltered ? 'Other runs may be there without it.' : EMPTY[filter.view].text}
            </Empty>
          ) : (
            <VirtualTable
              label="Runs"
              items={runs.items}
              columns={COLUMNS}
              keyOf={(run) => run.runId}
              active={active}
              onActivate={(run) => open(run.runId)}
              onEnd={runs.complete ? undefined : runs.more}
            />
          )}
        </div>
      </Tabs>
    </Page>
  );
}
