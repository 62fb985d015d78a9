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

/** The groups of rows that come page by page: each row is looked at once, unless a later one shows that messages of its cause differ. */
export class Grouping {
  private messages = new MessageShapes();
  private byKey = new Map<string, HeldRow[]>();
  private rows: readonly HeldRow[] = [];

  /** The groups of these rows, the largest first. Rows that only came to those of the last call cost nothing again. */
  of(rows: readonly HeldRow[]): Group[] {
    const isLonger = this.rows.length <= rows.length && this.rows.at(-1) === rows[this.rows.length - 1];
    const added = isLonger ? rows.slice(this.rows.length) : rows;
    let isStale = !isLonger;
    if (!isLonger) this.messages = new MessageShapes();
    for (const row of added) for (const problem of row.problems) isStale = this.messages.add(causeOf(problem), problem.message) || isStale;
    if (isStale) this.byKey = new Map();
    for (const row of isStale ? rows : added) this.put(row);
    this.rows = rows;
    return [...this.byKey]
      .map(([key, members]) => this.describe(key, [...members]))
      .sort((a, b) => b.rows.length - a.rows.length || a.key.localeCompare(b.key));
  }

  private put(row: HeldRow): void {
    const key = row.problems.map((problem) => this.partOf(problem)).sort().join();
    const group = this.byKey.get(key);
    if (group) group.push(row);
    else this.byKey.set(key, [row]);
  }

  private messageOf(problem: RowProblem): string {
    return this.messages.of(causeOf(problem), problem.message);
  }

  private partOf(problem: RowProblem): string {
    return JSON.stringify([causeOf(problem), problem.value === undefined ? this.messageOf(problem) : shapeOf(problem.value)]);
  }

  private describe(key: string, rows: readonly HeldRow[]): Group {
    const first = rows[0]!;
    const problem = mainProblem(first);
    return {
      key,
      title: problem ? (rows.length === 1 ? problem.message : this.messageOf(problem)) : first.cause.name,
      cause: problem ? causeOf(problem) : first.cause.name,
      shape: problem?.value === undefined ? '' : shapeOf(problem.value),
      more: Math.max(first.problems.length - 1, 0),
      rows,
    };
  }
}
