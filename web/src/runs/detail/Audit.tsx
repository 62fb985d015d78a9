import type { EventView } from '../../api/extra';
import { Button, ErrorPanel, formatExact, Icon, Skeleton, useLoad, VirtualTable, type Column } from '../../ui';
import { loadAudit, type Run } from './load';

/** Ids, counts and hashes in one line. */
function inLine(detail: unknown): string {
  return Object.entries((detail ?? {}) as Record<string, unknown>)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' · ');
}

const COLUMNS: readonly Column<EventView>[] = [
  { key: 'seq', head: '#', width: '3rem', align: 'end', cell: (event) => event.seq },
  { key: 'at', head: 'When', width: '11rem', optional: true, cell: (event) => formatExact(event.at) },
  { key: 'who', head: 'Who', width: 'minmax(6rem, 1fr)', cell: (event) => (event.actor.type === 'person' ? <strong>{event.actor.name}</strong> : event.actor.name) },
  { key: 'action', head: 'What', width: 'minmax(8rem, 1fr)', cell: (event) => event.action },
  {
    key: 'detail',
    head: 'Detail',
    width: 'minmax(10rem, 3fr)',
    optional: true,
    cell: (event) => <span class="audit-detail" title={inLine(event.detail)}>{inLine(event.detail)}</span>,
  },
  { key: 'hash', head: 'Hash', width: '7rem', optional: true, cell: (event) => <code title={event.hash}>{event.hash.slice(0, 10)}</code> },
];

/** The audit chain, checked by the API just now. */
export function Audit({ run }: { run: Run }) {
  const audit = useLoad(() => loadAudit(run.runId), [run.runId, run.updatedAt]);
  if (audit.error) return <ErrorPanel error={audit.error} title="The audit chain cannot be loaded" onRetry={audit.reload} />;
  if (!audit.data) return <Skeleton label="Loading the audit chain" />;
  const { verified, broken, events } = audit.data;
  return (
    <>
      <div class={`notice ${verified ? 'notice-good' : 'notice-bad'}`}>
        <Icon name={verified ? 'check' : 'alert'} />
        <p>
          {verified
            ? `The chain holds: ${events.length} events, each with the hash of the one before, up to the head that the run keeps.`
            : `The chain is broken: ${broken ?? 'numbers, hashes and head do not fit together'}. Somebody changed what was recorded: tell your security team.`}
        </p>
        <Button size="small" icon="refresh" busy={audit.loading} onClick={audit.reload}>Check again</Button>
      </div>
      <div class="run-table">
        <VirtualTable label="Audit events" items={events} columns={COLUMNS} keyOf={(event) => String(event.seq)} />
      </div>
    </>
  );
}
