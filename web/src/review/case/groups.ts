import type { HeldRow, RowProblem } from '../../api/extra';
import { messageShape, shapeOf } from './shape';

/** Rows that are held for the same reasons, with values of the same form. */
export interface Group {
  readonly key: string;
  /** What is wrong, in words. */
  readonly title: string;
  /** Rule or code, and column. */
  readonly cause: string;
  /** Form of the offending value; empty where a rule looks at the whole row. */
  readonly shape: string;
  /** How many further reasons the rows have. */
  readonly more: number;
  readonly rows: readonly HeldRow[];
}

const partOf = (problem: RowProblem): string =>
  [problem.rule ?? problem.code, problem.column ?? '', problem.value === undefined ? messageShape(problem.message) : shapeOf(problem.value)].join('\u0000');

export function groupKey(row: HeldRow): string {
  return row.problems.map(partOf).sort().join('\u0001');
}

/** The reason that stands for the row: the one of its cause. */
export function mainProblem(row: HeldRow): RowProblem | undefined {
  return row.problems.find((problem) => (problem.rule ?? problem.code) === row.cause.name) ?? row.problems[0];
}

/** The groups of these rows, the largest first. */
export function groupRows(rows: readonly HeldRow[]): Group[] {
  const byKey = new Map<string, HeldRow[]>();
  for (const row of rows) {
    const key = groupKey(row);
    const group = byKey.get(key);
    if (group) group.push(row);
    else byKey.set(key, [row]);
  }
  return [...byKey].map(([key, members]) => describe(key, members)).sort((a, b) => b.rows.length - a.rows.length || a.key.localeCompare(b.key));
}

function describe(key: string, rows: readonly HeldRow[]): Group {
  const first = rows[0]!;
  const problem = mainProblem(first);
  return {
    key,
    title: problem ? (rows.length === 1 ? problem.message : messageShape(problem.message)) : first.cause.name,
    cause: [problem?.rule ?? problem?.code ?? first.cause.name, problem?.column].filter(Boolean).join(' · '),
    shape: problem?.value === undefined ? '' : shapeOf(problem.value),
    more: Math.max(first.problems.length - 1, 0),
    rows,
  };
}
