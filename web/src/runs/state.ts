import type { RunSummary } from '../api/extra';

import type { Tone } from '../ui';

interface Shown {
  readonly label: string;
  readonly tone: Tone;
}

const STATES: Readonly<Record<string, Shown>> = {
  moving: { label: 'Moving', tone: 'info' },
  sealing: { label: 'Sealing', tone: 'info' },
  transforming: { label: 'Checking rows', tone: 'info' },
  gathering: { label: 'Adding up', tone: 'info' },
  reviewing: { label: 'Waits for review', tone: 'warn' },
  publishing: { label: 'Publishing', tone: 'info' },
  archiving: { label: 'Archiving', tone: 'info' },
  completed: { label: 'Completed', tone: 'good' },
  rejected: { label: 'Rejected', tone: 'bad' },
  failed: { label: 'Failed', tone: 'bad' },
  cancelled: { label: 'Cancelled', tone: 'neutral' },
};

const ENDED = new Set(['completed', 'rejected', 'failed', 'cancelled']);

/** States in which Sluice itself works on the file. */
export const IN_FLIGHT: readonly string[] = ['moving', 'sealing', 'transforming', 'gathering', 'publishing', 'archiving'];

export const hasEnded = (run: Pick<RunSummary, 'state'>): boolean => ENDED.has(run.state);

/** A dead letter outranks the state of a run that has not ended: nothing happens any more until somebody resends. */
export function shownState(run: Pick<RunSummary, 'state' | 'deadLetter'>): Shown {
  if (run.deadLetter && !ENDED.has(run.state)) return { label: 'Stuck', tone: 'bad' };
  return STATES[run.state] ?? { label: run.state, tone: 'neutral' };
}

/** The API refuses to cancel what is being published or archived: rows may be in the table already. */
export const canCancel = (run: Pick<RunSummary, 'state'>): boolean =>
  !ENDED.has(run.state) && run.state !== 'publishing' && run.state !== 'archiving';
