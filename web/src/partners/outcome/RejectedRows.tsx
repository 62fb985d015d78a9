/** The rejected rows as they were sent, each with its reasons; the values at fault are marked. */

import { useSignal } from '@preact/signals';

import { type Column, ErrorPanel, formatCount, type Loaded, Skeleton, VirtualTable } from '../../ui';
import { reason } from './reasons';
import type { RejectedRow } from './rejected';
import type { RejectedHead } from './rejectedHead';

const columns = (open: number | null, onToggle: (row: RejectedRow) => void): readonly Column<RejectedRow>[] => [
  { key: 'line', head: 'Line', width: '4rem', align: 'end', cell: (row) => formatCount(row.line) },
  { key: 'why', head: 'Why', width: 'minmax(10rem, 1fr)', cell: (row) => <Why row={row} isOpen={row.row === open} onToggle={() => onToggle(row)} /> },
  { key: 'record', head: 'Record', width: 'minmax(10rem, 2fr)', optional: true, cell: (row) => <span class="record-line">{row.fields.map(([, value]) => value).join(' · ')}</span> },
];

export function RejectedRows({ head }: { readonly head: Loaded<RejectedHead | null> }) {
  const open = useSignal<number | null>(null);
  const toggle = (row: RejectedRow) => (open.value = open.value === row.row ? null : row.row);
  const rows = head.data?.rows ?? [];
  const shown = rows.find((row) => row.row === open.value);
  return (
    <section class="panel" aria-labelledby="rejected-title">
      <h2 id="rejected-title">Rejected rows</h2>
      {head.error && <ErrorPanel error={head.error} title="The rejected rows cannot be shown" onRetry={head.reload} />}
      {head.loading && !head.data && <Skeleton lines={4} />}
      {rows.length > 0 && (
        <div class="bounded-table" style={{ '--rows': rows.length }}>
          <VirtualTable
            label="Rows and reasons"
            items={rows}
            columns={columns(open.value, toggle)}
            keyOf={(row) => String(row.row)}
            active={open.value === null ? null : String(open.value)}
            onActivate={toggle}
          />
        </div>
      )}
      {shown && <Record row={shown} />}
      {head.data?.more && <p class="muted">The first {formatCount(rows.length)}. The download has all of them.</p>}
    </section>
  );
}

function Why({ row, isOpen, onToggle }: { readonly row: RejectedRow; readonly isOpen: boolean; readonly onToggle: () => void }) {
  const first = row.reasons[0];
  if (!first) return null;
  const more = row.reasons.length - 1;
  return (
    <button type="button" class="link-button" aria-expanded={isOpen} onClick={onToggle} title={row.reasons.map((one) => `${one.column ?? ''} ${one.message}`).join('\n')}>
      {first.column && <code>{first.column}</code>} {reason(first.code).title}
      {more > 0 && <span class="muted"> and {more} more</span>}
    </button>
  );
}

function Record({ row }: { readonly row: RejectedRow }) {
  return (
    <div class="record">
      <h3>Line {formatCount(row.line)}</h3>
      <ul>
        {row.reasons.map((one) => (
          <li key={`${one.code}${one.column ?? ''}`}>
            {one.column && <code>{one.column}</code>} {one.message}
          </li>
        ))}
      </ul>
      <dl class="record-fields">
        {row.fields.map(([name, value]) => (
          <div key={name} class={row.reasons.some((one) => one.column === name) ? 'is-wrong' : ''}>
            <dt>{name || 'as it came'}</dt>
            <dd>{value === '' ? <span class="muted">empty</span> : <code>{value}</code>}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
