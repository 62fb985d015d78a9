import type { DecisionView, VerdictView } from '../../api/extra';
import type { DecisionBody, Values } from '../api';

/** A decision that is being made: kept in the browser until it is sent. */
export interface Draft {
  /** The rows and values that it was made on. */
  readonly digest: string;
  /** For all rows that have no verdict of their own; null while they are undecided. */
  readonly rest: VerdictView | null;
  readonly rows: Readonly<Record<string, VerdictView>>;
  readonly comment: string;
  /** A correction that is being typed. */
  readonly typing?: Typing | null;
}

export interface Typing {
  readonly rows: readonly number[];
  readonly values: Values;
}

export const emptyDraft = (digest: string): Draft => ({ digest, rest: null, rows: {}, comment: '' });

export const isEmpty = (draft: Draft): boolean => draft.rest === null && Object.keys(draft.rows).length === 0 && draft.comment === '' && !draft.typing;

/** The verdict of a row, or null. */
export function verdictOf(draft: Draft, row: number): VerdictView | null {
  return draft.rows[row] ?? draft.rest;
}

/** Gives these rows a verdict. */
export function withVerdict(draft: Draft, rows: readonly number[], verdict: VerdictView): Draft {
  const next = { ...draft.rows };
  for (const row of rows) next[row] = verdict;
  return { ...draft, rows: next };
}

/** Gives rows new values for some columns; what was corrected in other columns stays. */
export function withCorrections(draft: Draft, corrections: ReadonlyMap<number, Values>): Draft {
  const next = { ...draft.rows };
  for (const [row, values] of corrections) next[row] = { verdict: 'correct', values: { ...correctedOf(draft, row), ...values } };
  return { ...draft, rows: next };
}

/** The new values that the row has so far. */
export function correctedOf(draft: Draft, row: number): Values {
  const verdict = verdictOf(draft, row);
  return verdict?.verdict === 'correct' ? verdict.values : {};
}

export type Tally = Readonly<Record<VerdictView['verdict'] | 'undecided', number>>;

/** How many of `total` rows have which verdict. */
export function tally(draft: Draft, total: number): Tally {
  const counts = { approve: 0, reject: 0, return: 0, correct: 0 };
  let own = 0;
  for (const verdict of Object.values(draft.rows)) {
    counts[verdict.verdict] += 1;
    own += 1;
  }
  const others = Math.max(total - own, 0);
  if (draft.rest) counts[draft.rest.verdict] += others;
  return { ...counts, undecided: draft.rest ? 0 : others };
}

/** The shortest way to say it: one verdict for the case, the rows that have another one by name. */
export function toDecision(draft: Draft, total: number): DecisionBody {
  const all = Object.entries(draft.rows);
  const isRestNeeded = draft.rest !== null && all.length < total;
  const verdict = isRestNeeded ? draft.rest : mostFrequent(Object.values(draft.rows));
  const same = canonical(verdict);
  const rows = Object.fromEntries(all.filter(([, other]) => canonical(other) !== same));
  return { verdict, rows, comment: draft.comment, digest: draft.digest };
}

function mostFrequent(verdicts: readonly VerdictView[]): VerdictView {
  const counts = new Map<string, { verdict: VerdictView; rows: number }>();
  for (const verdict of verdicts) {
    const entry = counts.get(canonical(verdict)) ?? { verdict, rows: 0 };
    entry.rows += 1;
    counts.set(canonical(verdict), entry);
  }
  const all = [...counts.values()];
  return all.reduce((best, one) => (one.rows > best.rows ? one : best), all[0] ?? { verdict: { verdict: 'approve' }, rows: 0 }).verdict;
}

/** A draft that says what somebody decided before. */
export function fromDecision(decision: DecisionView, digest: string): Draft {
  return { digest, rest: decision.verdict, rows: decision.rows, comment: '' };
}

function canonical(verdict: VerdictView): string {
  if (verdict.verdict !== 'correct') return verdict.verdict;
  return JSON.stringify(Object.entries(verdict.values).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether two decisions come to the same for every row, however they are written. */
export function isSame(a: Pick<DecisionView, 'verdict' | 'rows'>, b: Pick<DecisionView, 'verdict' | 'rows'>): boolean {
  const rows = new Set([...Object.keys(a.rows), ...Object.keys(b.rows)]);
  const of = (decision: Pick<DecisionView, 'verdict' | 'rows'>, row: string) => canonical(decision.rows[row] ?? decision.verdict);
  return canonical(a.verdict) === canonical(b.verdict) && [...rows].every((row) => of(a, row) === of(b, row));
}
