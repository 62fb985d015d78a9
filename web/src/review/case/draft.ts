import type { DecisionView, VerdictView } from '../../api/extra';
import type { DecisionBody, Values } from '../api';

/** A decision that is being made: kept in the browser until it is sent. */
export interface Draft {
  /** The rows and values that it was made on. */
  readonly digest: string;
  /** For all rows that have no verdict of their own; null while they are undecided. */
  readonly rest: 'approve' | 'reject' | null;
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
  return draft.rows[row] ?? (draft.rest && { verdict: draft.rest });
}

/** Gives these rows a verdict; null takes it away. */
export function withVerdict(draft: Draft, rows: readonly number[], verdict: VerdictView | null): Draft {
  const next = { ...draft.rows };
  for (const row of rows) {
    if (verdict) next[row] = verdict;
    else delete next[row];
  }
  return { ...draft, rows: next };
}

export interface Tally {
  readonly approve: number;
  readonly reject: number;
  readonly correct: number;
  readonly undecided: number;
}

/** How many of `total` rows have which verdict. */
export function tally(draft: Draft, total: number): Tally {
  const counts = { approve: 0, reject: 0, correct: 0 };
  let own = 0;
  for (const verdict of Object.values(draft.rows)) {
    counts[verdict.verdict] += 1;
    own += 1;
  }
  const others = Math.max(total - own, 0);
  if (draft.rest) counts[draft.rest] += others;
  return { ...counts, undecided: draft.rest ? 0 : others };
}

/** The shortest way to say it: the most frequent verdict for the case, the others row by row. */
export function toDecision(draft: Draft, total: number): DecisionBody {
  const { approve, reject } = tally(draft, total);
  const rest = draft.rest ?? (approve >= reject ? 'approve' : 'reject');
  const rows = Object.fromEntries(Object.entries(draft.rows).filter(([, verdict]) => verdict.verdict !== rest));
  return { verdict: { verdict: rest }, rows, comment: draft.comment, digest: draft.digest };
}

/** A draft that says what somebody decided before. */
export function fromDecision(decision: DecisionView, digest: string): Draft {
  const { verdict } = decision;
  return { digest, rest: verdict.verdict === 'correct' ? null : verdict.verdict, rows: decision.rows, comment: '' };
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
