import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { useChanges } from '../../api/live';
import { hasRole } from '../../auth/session';
import { ErrorPanel, Page, Skeleton, Tabs, useLoad, type Tab } from '../../ui';
import { StateLabel } from '../StateLabel';
import { Actions } from './Actions';
import { Audit } from './Audit';
import { Chunks } from './Chunks';
import { Decisions } from './Decisions';
import { ExplainRow } from './ExplainRow';
import { loadReport, loadRun, loadTimeline, type Run } from './load';
import { Notices } from './Notices';
import { Overview } from './Overview';

const BACK = { href: '/runs', label: 'runs' };

/** One run: where it stands, what became of its rows and why. */
export function RunPage({ id }: { id: string }) {
  const run = useLoad(() => loadRun(id), [id]);
  const events = useLoad(() => loadTimeline(id), [id]);
  // Without chunks no row was looked at, and there is nothing to report.
  const hasChunks = (run.data?.chunks ?? 0) > 0;
  const report = useLoad(async () => (hasChunks ? loadReport(id) : null), [id, hasChunks]);
  const reload = () => {
    run.reload();
    events.reload();
    report.reload();
  };
  useChanges((changed) => {
    if (changed.some((one) => one.runId === id)) reload();
  });
  if (!run.data) {
    return (
      <Page title="Run" back={BACK}>
        {run.error ? <ErrorPanel error={run.error} title="The run cannot be shown" onRetry={reload} /> : <Skeleton label="Loading the run" lines={10} />}
      </Page>
    );
  }
  const changed = (next: Run) => {
    run.setData(next);
    events.reload();
  };
  return (
    <Page
      title={run.data.path}
      heading={
        <>
          <span class="run-path">{run.data.path}</span> <StateLabel run={run.data} />
        </>
      }
      back={BACK}
      actions={<Actions run={run.data} onChanged={changed} />}
    >
      {run.error && <ErrorPanel error={run.error} title="What you see may be old" onRetry={reload} />}
      <Notices run={run.data} />
      <Panels run={run.data}>
        <Overview run={run.data} events={events.data ?? []} report={report.data ?? null} error={report.error ?? events.error} />
      </Panels>
    </Page>
  );
}

type Panel = 'overview' | 'decisions' | 'row' | 'chunks' | 'audit';

function panels(run: Run): readonly Tab[] {
  const all: { key: Panel; label: string; shown: boolean }[] = [
    { key: 'overview', label: 'Overview', shown: true },
    { key: 'decisions', label: run.cases > 0 ? `Decisions (${run.cases})` : 'Decisions', shown: true },
    { key: 'row', label: 'Explain a row', shown: hasRole('Reviewer', 'Operator', 'Engineer') },
    { key: 'chunks', label: 'Chunks', shown: true },
    { key: 'audit', label: 'Audit', shown: hasRole('Auditor', 'Operator') },
  ];
  return all.filter((panel) => panel.shown);
}

function Panels({ run, children }: { run: Run; children: ComponentChildren }) {
  const [panel, setPanel] = useState<Panel>('overview');
  return (
    <Tabs label="Parts of the run" tabs={panels(run)} current={panel} onChange={(key) => setPanel(key as Panel)}>
      {panel === 'overview' && children}
      {panel === 'decisions' && <Decisions run={run} />}
      {panel === 'row' && <ExplainRow run={run} />}
      {panel === 'chunks' && <Chunks run={run} />}
      {panel === 'audit' && <Audit run={run} />}
    </Tabs>
  );
}
