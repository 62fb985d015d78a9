import type { CountsView } from '../api/extra';

export type Outcome = 'published' | 'corrected' | 'held' | 'rejected' | 'filtered' | 'duplicate';

export interface OutcomeCount {
  readonly outcome: Outcome;
  readonly label: string;
  readonly meaning: string;
  readonly rows: number;
}

const OUTCOMES: readonly Omit<OutcomeCount, 'rows'>[] = [
  { outcome: 'published', label: 'Published', meaning: 'as they came' },
  { outcome: 'corrected', label: 'Corrected', meaning: 'published after a person approved or corrected them' },
  { outcome: 'held', label: 'Held', meaning: 'wait for a person' },
  { outcome: 'rejected', label: 'Rejected', meaning: 'not published; the partner gets them back with reasons' },
  { outcome: 'filtered', label: 'Filtered', meaning: 'left out by a filter of the pipeline' },
  { outcome: 'duplicate', label: 'Duplicate', meaning: 'left out as repeats' },
];

/** Every outcome with its rows, in the order of a healthy file first. */
export function outcomes(counts: CountsView): readonly OutcomeCount[] {
  return OUTCOMES.map((outcome) => ({ ...outcome, rows: counts[outcome.outcome] }));
}

/** Before a run is published, "published" are rows that are ready to be. */
export const outcomeLabel = (outcome: OutcomeCount, ended: boolean): string =>
  outcome.outcome === 'published' && !ended ? 'Ready' : outcome.label;

export function rejectRate(counts: Pick<CountsView, 'rows' | 'rejected'>): number {
  return counts.rows === 0 ? 0 : counts.rejected / counts.rows;
}
