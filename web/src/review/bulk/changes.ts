import type { HeldRow } from '../../api/extra';
import type { Values } from '../api';
import { correctedOf, type Draft } from '../case/draft';
import { rawFields, showCell } from '../row/cells';
import { applyRule, type Rule } from './rule';

/** One row that a rule changes. */
export interface Change {
  readonly row: HeldRow;
  readonly before: string | null;
  readonly after: string | null;
  /** All new values of the row: those that it had in the draft, and this one. */
  readonly values: Values;
}

/** What stands in a column: the correction so far, else the file's own text, else the value. Null is empty. */
export function textOf(row: HeldRow, column: string, corrected: Values): string | null {
  const typed = corrected[column];
  if (typed !== undefined) return typed;
  const offending = row.problems.find((problem) => problem.column === column && problem.value !== undefined);
  if (offending?.value !== undefined) return offending.value;
  const parsed = row.parsed[column];
  return rawFields(row)[column] ?? (parsed === null || parsed === undefined ? null : showCell(parsed));
}

/** The rows that the rule changes, in the order of the file. */
export function changesOf(rows: readonly HeldRow[], column: string, rule: Rule, draft: Draft): Change[] {
  const changes: Change[] = [];
  for (const row of rows) {
    const corrected = correctedOf(draft, row.row);
    const before = textOf(row, column, corrected);
    const after = applyRule(rule, before);
    if (after !== undefined) changes.push({ row, before, after, values: { ...corrected, [column]: after } });
  }
  return changes;
}
