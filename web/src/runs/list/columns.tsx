import { Link } from 'wouter-preact';

import type { RunSummary } from '../../api/extra';
import { percent } from '../../charts/scale';
import { Bytes, Count, Time, type Column } from '../../ui';
import { OutcomeStack } from '../OutcomeStack';
import { rejectRate } from '../outcomes';
import { StateLabel } from '../StateLabel';

export const COLUMNS: readonly Column<RunSummary>[] = [
  { key: 'state', head: 'State', width: '8.5rem', cell: (run) => <StateLabel run={run} /> },
  {
    key: 'path',
    head: 'File',
    width: 'minmax(9rem, 3fr)',
    cell: (run) => (
      <Link href={`/runs/${run.runId}`} class="run-file" title={run.path}>
        {run.path}
        {run.attempt > 1 && <span class="muted"> · attempt {run.attempt}</span>}
      </Link>
    ),
  },
  {
    key: 'stream',
    head: 'Partner / pipeline',
    width: 'minmax(8rem, 2fr)',
    optional: true,
    cell: (run) => (
      <>
        {run.partner} / {run.pipeline ?? <span class="muted">none</span>}
      </>
    ),
  },
  { key: 'size', head: 'Size', width: '5rem', align: 'end', optional: true, cell: (run) => <Bytes value={run.size} /> },
  { key: 'rows', head: 'Rows', width: '5.5rem', align: 'end', optional: true, cell: (run) => run.counts && <Count value={run.counts.rows} /> },
  {
    key: 'outcomes',
    head: 'Outcomes',
    width: 'minmax(4.5rem, 1fr)',
    optional: true,
    cell: (run) => run.counts && run.counts.rows > 0 && <OutcomeStack counts={run.counts} thin />,
  },
  {
    key: 'rejected',
    head: 'Rejected',
    width: '4.75rem',
    align: 'end',
    optional: true,
    cell: (run) => run.counts && <span class={run.counts.rejected > 0 ? 'number' : 'number muted'}>{percent(rejectRate(run.counts))}</span>,
  },
  {
    key: 'cases',
    head: 'Open cases',
    width: '5rem',
    align: 'end',
    optional: true,
    cell: (run) => run.openCases > 0 && <Count value={run.openCases} />,
  },
  { key: 'received', head: 'Received', width: '6.5rem', align: 'end', optional: true, cell: (run) => <Time at={run.createdAt} /> },
];
