import { Badge, formatCount, plural, VirtualTable, type Column, type Tone } from '../../ui';
import { Refusals } from './Refusals';
import type { ChangedRow, Comparison } from './trial';

const TONES: Readonly<Record<string, Tone>> = { accepted: 'good', rejected: 'bad', held: 'warn' };

function Outcome({ name }: { name: ChangedRow['before'] }) {
  return <Badge tone={(name && TONES[name]) || 'neutral'}>{name ?? 'no such row'}</Badge>;
}

/** 'arr_delay “x”: is not an integer; long-delay: it arrived late' */
function reasons(changed: ChangedRow): string {
  return changed.reasons
    .map(({ rule, column, value, message }) => {
      const where = [rule ?? column, value !== undefined && `“${value}”`].filter(Boolean).join(' ');
      return where ? `${where}: ${message}` : message;
    })
    .join('; ');
}

const COLUMNS: readonly Column<ChangedRow>[] = [
  { key: 'row', head: 'Row', width: '6rem', align: 'end', cell: (changed) => formatCount(changed.row) },
  { key: 'before', head: 'As it was', width: '7rem', cell: (changed) => <Outcome name={changed.before} /> },
  { key: 'after', head: 'As it would be', width: '7rem', cell: (changed) => <Outcome name={changed.after} /> },
  {
    key: 'why',
    head: 'Why',
    width: 'minmax(8rem, 1fr)',
    optional: true,
    cell: (changed) => <span title={reasons(changed)}>{reasons(changed) || <span class="muted">no rule and no problem applies any more</span>}</span>,
  },
];

/** 'held → rejected' to how often */
function moves(changed: readonly ChangedRow[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { before, after } of changed) {
    const move = `${before ?? 'no such row'} → ${after ?? 'no such row'}`;
    counts.set(move, (counts.get(move) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** The rows whose outcome would change. */
export function ComparisonView({ found, run }: { found: Comparison; run: string }) {
  return (
    <div class="trial-result">
      <h3>
        {found.changedRows === 0 ? 'No row would end otherwise' : `${plural(found.changedRows, 'row')} would end otherwise`}, of{' '}
        {formatCount(found.rows)} compared
      </h3>
      {found.truncated && <p class="muted">The file has more than was compared, or more rows change than are listed.</p>}
      <Refusals refusals={found.refusals} />
      {found.changed.length > 0 && (
        <>
          <ul class="moves">
            {moves(found.changed).map(([move, count]) => (
              <li key={move}>
                <strong>{formatCount(count)}</strong> {move}
              </li>
            ))}
          </ul>
          <div class="trial-table">
            <VirtualTable label={`Rows of ${run} that would end otherwise`} items={found.changed} columns={COLUMNS} keyOf={(changed) => String(changed.row)} />
          </div>
        </>
      )}
    </div>
  );
}
