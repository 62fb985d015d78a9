import { Badge, formatCount, plural } from '../../ui';
import { verdictOf, type Draft } from './draft';
import type { Group } from './groups';
import { verdictName, verdictTone } from './verdicts';

interface Props {
  readonly groups: readonly Group[];
  readonly total: number;
  readonly draft: Draft;
  readonly current: string | null;
  readonly onChoose: (key: string | null) => void;
}

function Progress({ rows, draft }: { readonly rows: readonly { readonly row: number }[]; readonly draft: Draft }) {
  const decided = rows.reduce((sum, row) => sum + (verdictOf(draft, row.row) === null ? 0 : 1), 0);
  if (decided === 0) return null;
  if (decided < rows.length) return <Badge tone="info">{`${formatCount(decided)} of ${formatCount(rows.length)}`}</Badge>;
  const first = verdictOf(draft, rows[0]!.row)!;
  if (rows.some((row) => verdictOf(draft, row.row)?.verdict !== first.verdict)) return <Badge tone="info">mixed</Badge>;
  return <Badge tone={verdictTone(first)}>{verdictName(first.verdict)}</Badge>;
}

/** The rows of a case by what is wrong and the form of the value: each group can be decided at once. */
export function GroupList({ groups, total, draft, current, onChoose }: Props) {
  return (
    <nav class="groups" aria-label="Groups of rows">
      <button type="button" class="list-button" aria-pressed={current === null} onClick={() => onChoose(null)}>
        <span class="group-head">
          <strong>All rows</strong>
          <span class="number">{formatCount(total)}</span>
        </span>
      </button>
      {groups.map((group) => (
        <button key={group.key} type="button" class="list-button" aria-pressed={current === group.key} onClick={() => onChoose(group.key)}>
          <span class="group-head">
            <code class="group-cause">{group.cause}</code>
            <span class="number">{formatCount(group.rows.length)}</span>
          </span>
          <span class="group-title">{group.title}</span>
          <span class="group-foot">
            {group.shape !== '' && <code title="Form of the value: 9 for a digit, a for a letter">{group.shape}</code>}
            {group.more > 0 && <span>and {plural(group.more, 'further reason')}</span>}
            <Progress rows={group.rows} draft={draft} />
          </span>
        </button>
      ))}
    </nav>
  );
}
