import type { HeldRow } from '../../api/extra';
import { Badge, formatCount, type Column } from '../../ui';
import { verdictOf, type Draft } from './draft';
import { mainProblem } from './groups';
import { verdictTone, verdictWords } from './verdicts';

interface Selection {
  readonly has: (row: number) => boolean;
  readonly toggle: (row: number) => void;
}

export function rowColumns(draft: Draft, selection: Selection | null): Column<HeldRow>[] {
  const select: Column<HeldRow> = {
    key: 'select',
    head: <span class="visually-hidden">Select</span>,
    width: '1.25rem',
    cell: (row) => (
      <input type="checkbox" aria-label={`Select line ${row.line}`} checked={selection?.has(row.row) ?? false} onChange={() => selection?.toggle(row.row)} />
    ),
  };
  const verdict: Column<HeldRow> = {
    key: 'verdict',
    head: 'Verdict',
    width: 'minmax(5rem, 0.7fr)',
    cell: (row) => {
      const given = verdictOf(draft, row.row);
      return given ? (
        <Badge tone={verdictTone(given)} title={verdictWords(given)}>
          {verdictWords(given)}
        </Badge>
      ) : (
        <span class="muted">undecided</span>
      );
    },
  };
  return [
    ...(selection ? [select] : []),
    { key: 'line', head: 'Line', width: '4rem', align: 'end', cell: (row) => <span class="number">{formatCount(row.line)}</span> },
    {
      key: 'reason',
      head: 'What is wrong',
      width: 'minmax(0, 1.4fr)',
      cell: (row) => {
        const problem = mainProblem(row);
        return (
          <span title={row.problems.map((one) => one.message).join('\n')}>
            {problem?.value !== undefined && <code class="offending">{problem.value === '' ? 'empty' : problem.value}</code>} {problem?.message}
          </span>
        );
      },
    },
    { key: 'raw', head: 'In the file', width: 'minmax(0, 1.6fr)', optional: true, cell: (row) => <code title={row.raw}>{row.raw}</code> },
    verdict,
  ];
}
