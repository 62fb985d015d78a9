import type { HeldRow, RowProblem } from '../../api/extra';
import { MessageShapes, shapeOf } from './shape';

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

const nameOf = (problem: RowProblem): string => problem.rule ?? problem.code;
const causeOf = (problem: RowProblem): string => [nameOf(problem), problem.column].filter(Boolean).join(' · ');

/** The reason that stands for the row: the one of its cause. */
export function mainProblem(row: HeldRow): RowProblem | undefined {
  return row.problems.find((problem) => nameOf(problem) === row.cause.name) ?? row.problems[0];
}

/** The groups of these rows, the largest first. */
export function groupRows(rows: readonly HeldRow[]): Group[] {
  const messages = new MessageShapes();
  for (const row of rows) for (const problem of row.problems) messages.add(causeOf(problem), problem.message);
  const messageOf = (problem: RowProblem) => messages.of(causeOf(problem), problem.message);
  const partOf = (problem: RowProblem) => JSON.stringify([causeOf(problem), problem.value === undefined ? messageOf(problem) : shapeOf(problem.value)]);

  const byKey = new Map<string, HeldRow[]>();
  for (const row of rows) {
    const key = row.problems.map(partOf).sort().join();
    const group = byKey.get(key);
    if (group) group.push(row);
    else byKey.set(key, [row]);
  }
  return [...byKey]
    .map(([key, members]) => describe(key, members, messageOf))
    .sort((a, b) => b.rows.length - a.rows.length || a.key.localeCompare(b.key));
}

function describe(key: string, rows: readonly HeldRow[], messageOf: (problem: RowProblem) => string): Group {
  const first = rows[0]!;
  const problem = mainProblem(first);
  return {
    key,
    title: problem ? (rows.length === 1 ? problem.message : messageOf(problem)) : first.cause.name,
    cause: problem ? causeOf(problem) : first.cause.name,
    shape: problem?.value === undefined ? '' : shapeOf(problem.value),
    more: Math.max(first.problems.length - 1, 0),
    rows,
  };
}
