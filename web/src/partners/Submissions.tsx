/** Files that were sent, newest first; the list follows what happens. */

import { Link, useLocation } from 'wouter-preact';

import { api, ok } from '../api/client';
import type { Page, RunSummary } from '../api/extra';
import { useChanges } from '../api/live';
import { session } from '../auth/session';
import { Badge, Bytes, type Column, Count, Empty, ErrorPanel, Skeleton, Time, usePages, VirtualTable } from '../ui';
import { stage } from './outcome/stage';

const COLUMNS: readonly Column<RunSummary>[] = [
  {
    key: 'path',
    head: 'File',
    width: 'minmax(10rem, 3fr)',
    cell: (run) => (
      <Link href={`/uploads/${run.submissionId}`} title={run.path}>
        {run.path}
      </Link>
    ),
  },
  { key: 'state', head: 'State', width: 'minmax(8.5rem, 1fr)', cell: (run) => <StageBadge run={run} /> },
  { key: 'rows', head: 'Rows', width: '6rem', align: 'end', optional: true, cell: (run) => run.counts && <Count value={run.counts.rows} /> },
  { key: 'rejected', head: 'Rejected', width: '6rem', align: 'end', cell: (run) => run.counts && <Count value={run.counts.rejected} /> },
  { key: 'size', head: 'Size', width: '6rem', align: 'end', optional: true, cell: (run) => <Bytes value={run.size} /> },
  { key: 'at', head: 'Received', width: '8rem', optional: true, cell: (run) => <Time at={run.createdAt} /> },
];

const PARTNER: Column<RunSummary> = { key: 'partner', head: 'Partner', width: '8rem', optional: true, cell: (run) => run.partner };

export function StageBadge({ run }: { readonly run: RunSummary }) {
  const { label, tone } = stage(run);
  return <Badge tone={tone}>{label}</Badge>;
}

const load = (cursor: string | undefined): Promise<Page<RunSummary>> =>
  ok(api.GET('/submissions', { params: { query: { limit: 100, ...(cursor !== undefined && { cursor }) } } }));

export function Submissions() {
  const [, navigate] = useLocation();
  const pages = usePages(load, []);
  useChanges((changed) => pages.update((items) => merge(items, changed)));
  const isPartner = session.value?.roles.includes('Partner') ?? false;
  return (
    <section class="submissions">
      <h2>Sent files</h2>
      {pages.error && <ErrorPanel error={pages.error} title="The files that were sent cannot be listed" onRetry={pages.reload} />}
      {pages.loading ? (
        <Skeleton />
      ) : pages.items.length === 0 ? (
        !pages.error && (
          <Empty icon="upload" title="Nothing was sent yet">
            What you send shows here, with what became of every row.
          </Empty>
        )
      ) : (
        <div class="bounded-table" style={{ '--rows': pages.items.length }}>
          <VirtualTable
            label="Sent files"
            items={pages.items}
            columns={isPartner ? COLUMNS : [PARTNER, ...COLUMNS]}
            keyOf={(run) => run.submissionId}
            onActivate={(run) => navigate(`/uploads/${run.submissionId}`)}
            onEnd={pages.more}
          />
        </div>
      )}
    </section>
  );
}

/** The newest run of each submission; new ones come first. */
function merge(items: readonly RunSummary[], changed: readonly RunSummary[]): readonly RunSummary[] {
  const newest = new Map(items.map((run) => [run.submissionId, run]));
  const fresh: RunSummary[] = [];
  for (const run of changed) {
    const known = newest.get(run.submissionId);
    if (!known) fresh.push(run);
    if (!known || run.attempt >= known.attempt) newest.set(run.submissionId, run);
  }
  const order = [...fresh.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)), ...items];
  const seen = new Set<string>();
  return order.flatMap((run) => {
    if (seen.has(run.submissionId)) return [];
    seen.add(run.submissionId);
    return [newest.get(run.submissionId) ?? run];
  });
}
