/** The states of a run in the words of the partner who sent the file. */

import type { RunSummary } from '../../api/extra';

export type Tone = 'neutral' | 'info' | 'good' | 'warn' | 'bad';

export interface Stage {
  readonly label: string;
  readonly tone: Tone;
  /** One sentence about what it means, and what to do. */
  readonly detail: string;
}

const STEPS = ['Received', 'Checked', 'Reviewed', 'Published', 'Archived'] as const;

export interface Step {
  readonly name: (typeof STEPS)[number];
  readonly place: 'done' | 'current' | 'ahead';
}

/** The way of a run; review is a part of it only where rows were held. */
export function steps(run: Pick<RunSummary, 'state' | 'cases' | 'counts'>): Step[] {
  const done = stepsDone(run);
  const isReviewed = run.cases > 0 || !run.counts;
  return STEPS.map((name, at) => ({ name, place: at < done ? ('done' as const) : at === done ? ('current' as const) : ('ahead' as const) })).filter(
    ({ name }) => isReviewed || name !== 'Reviewed',
  );
}

function stepsDone(run: Pick<RunSummary, 'state'>): number {
  switch (run.state) {
    case 'moving':
    case 'sealing':
      return 0;
    case 'transforming':
    case 'gathering':
      return 1;
    case 'reviewing':
      return 2;
    case 'publishing':
      return 3;
    case 'archiving':
      return 4;
    case 'completed':
      return 5;
    default:
      return 0;
  }
}

export function hasEnded(run: Pick<RunSummary, 'state'>): boolean {
  return ['completed', 'rejected', 'failed', 'cancelled'].includes(run.state);
}

export function stage(run: RunSummary): Stage {
  if (run.deadLetter && !hasEnded(run)) {
    return { label: 'Held up', tone: 'warn', detail: 'Something on our side stopped this file. Nothing is lost and you need not send it again: an operator sees it.' };
  }
  switch (run.state) {
    case 'moving':
    case 'sealing':
      return { label: 'Receiving', tone: 'info', detail: 'The file has arrived and is copied to where it is kept.' };
    case 'transforming':
    case 'gathering':
      return { label: 'Checking', tone: 'info', detail: 'Every row is checked against what was agreed.' };
    case 'reviewing':
      return {
        label: 'In review',
        tone: 'warn',
        detail: 'Some rows wait for a person on our side. The file is published as soon as all of them are decided; you need not do anything.',
      };
    case 'publishing':
    case 'archiving':
      return { label: 'Publishing', tone: 'info', detail: 'The accepted rows are published in one step.' };
    case 'completed':
      if ((run.counts?.returned ?? 0) > 0) {
        return { label: 'Rows sent back', tone: 'warn', detail: 'The accepted rows are published. A person sent rows back to you: see below what to repair, and send them again.' };
      }
      return (run.counts?.rejected ?? 0) > 0
        ? { label: 'Published in part', tone: 'warn', detail: 'The accepted rows are published. The rejected ones are not: see below why, repair them and send them again.' }
        : { label: 'Published', tone: 'good', detail: 'The file is published, and nothing was rejected.' };
    case 'rejected':
      return { label: 'Refused', tone: 'bad', detail: 'The file as a whole was not taken and nothing of it was published. Correct it and send it again under another path.' };
    case 'failed':
      return { label: 'Failed', tone: 'bad', detail: 'Something on our side went wrong. Nothing of the file was published, and it is kept: an operator can work through it again.' };
    case 'cancelled':
      return { label: 'Cancelled', tone: 'neutral', detail: 'An operator stopped it. Nothing of it was published.' };
    default:
      return { label: run.state, tone: 'neutral', detail: '' };
  }
}
