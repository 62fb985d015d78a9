import { useState } from 'preact/hooks';

import type { TriedRow } from '../api';
import { Badge, type Column, formatCount, VirtualTable } from '../../ui';
import type { Change } from './changes';
import type { TriedMany } from './useTryMany';

interface Props {
  readonly changes: readonly Change[];
  /** Another object whenever there are more answers. */
  readonly tried: TriedMany;
}

function Text({ value }: { readonly value: string | null }) {
  return value === null || value === '' ? <span class="muted">empty</span> : <code title={value}>{value}</code>;
}

function Answer({ of }: { readonly of: TriedRow | undefined }) {
  if (!of) return <span class="muted">not checked yet</span>;
  const [first] = of.problems;
  if (first) return <span title={of.problems.map((problem) => problem.message).join('\n')}>{first.message}</span>;
  return of.filtered ? <Badge tone="warn">left out by a filter</Badge> : <Badge tone="good">fits</Badge>;
}

/** Exactly which rows change, from what to what, and what the engine says of each. */
export function Preview({ changes, tried }: Props) {
  const [onlyFailing, setOnlyFailing] = useState(false);
  const failing = changes.filter(({ row }) => (tried.rows.get(row.row)?.problems.length ?? 0) > 0);
  const shown = onlyFailing && failing.length > 0 ? failing : changes;
  const columns: Column<Change>[] = [
    { key: 'line', head: 'Line', width: '4rem', align: 'end', cell: ({ row }) => <span class="number">{formatCount(row.line)}</span> },
    { key: 'before', head: 'Now', width: 'minmax(0, 1fr)', cell: ({ before }) => <Text value={before} /> },
    { key: 'after', head: 'Becomes', width: 'minmax(0, 1fr)', cell: ({ after }) => <Text value={after} /> },
    { key: 'answer', head: 'The engine says', width: 'minmax(0, 1.6fr)', cell: ({ row }) => <Answer of={tried.rows.get(row.row)} /> },
  ];
  if (changes.length === 0) return null;
  return (
    <div class="bulk-preview">
      {failing.length > 0 && (
        <div class="segments" role="group" aria-label="Which rows">
          <button type="button" class="segment" aria-pressed={!onlyFailing} onClick={() => setOnlyFailing(false)}>
            {formatCount(changes.length)} changed
          </button>
          <button type="button" class="segment" aria-pressed={onlyFailing} onClick={() => setOnlyFailing(true)}>
            {formatCount(failing.length)} still do not fit
          </button>
        </div>
      )}
      <VirtualTable label="Rows that change" items={shown} columns={columns} keyOf={({ row }) => String(row.row)} />
    </div>
  );
}
