import type { EventView, RunSummary } from '../../api/extra';
import { hasEnded } from '../state';

export const STEPS = ['admit', 'move', 'seal', 'transform', 'gather', 'review', 'publish', 'archive'] as const;
export type StepName = (typeof STEPS)[number];

export type StepStatus = 'done' | 'active' | 'stuck' | 'failed' | 'refused' | 'stopped' | 'waiting' | 'skipped' | 'unreached';

export interface Step {
  readonly name: StepName;
  readonly status: StepStatus;
  /** Milliseconds since the epoch; null while it has not begun or ended. */
  readonly from: number | null;
  readonly to: number | null;
}

const STEP_OF_STATE: Readonly<Record<string, StepName>> = {
  moving: 'move',
  sealing: 'seal',
  transforming: 'transform',
  gathering: 'gather',
  reviewing: 'review',
  publishing: 'publish',
  archiving: 'archive',
};

/** The event that ends a step. `gather` may send the chunks through `transform` once more: the last one counts. */
const ENDS: Readonly<Record<string, StepName>> = {
  'run.admitted': 'admit',
  'run.reprocessed': 'admit',
  'run.moved': 'move',
  'run.sealed': 'seal',
  'run.transformed': 'transform',
  'run.gathered': 'gather',
  'run.decided': 'review',
  'run.published': 'publish',
  'run.archived': 'archive',
};

/** Events that end a run before its time, and what they say of the step in which they came. */
const STOPS: Readonly<Record<string, StepStatus>> = { 'run.failed': 'failed', 'run.rejected': 'refused', 'run.cancelled': 'stopped' };

type TimedRun = Pick<RunSummary, 'state' | 'createdAt' | 'deadLetter' | 'failure'>;

interface Stop {
  readonly name: StepName | null;
  readonly status: StepStatus;
  readonly at: number;
}

/** Where and when a run ended before its time, if it did. */
function stopOf(run: TimedRun, events: readonly EventView[]): Stop | null {
  const event = events.findLast((one) => STOPS[one.action]);
  if (!event) return null;
  const from = (event.detail as { from?: string }).from;
  const name = from ? STEP_OF_STATE[from] : run.failure && stepNamed(run.failure.step);
  return { name: name ?? null, status: STOPS[event.action]!, at: Date.parse(event.at) };
}

/** What each step did and when, from the audit events of the run. */
export function steps(run: TimedRun, events: readonly EventView[]): readonly Step[] {
  const ended = new Map<StepName, number>();
  for (const event of events) {
    const step = ENDS[event.action];
    if (step) ended.set(step, Date.parse(event.at));
  }
  const over = hasEnded(run);
  // What is left of a run that has ended is its archive, and that can be stuck.
  const current = over ? run.deadLetter && stepNamed(run.deadLetter.step) : STEP_OF_STATE[run.state];
  const stop = stopOf(run, events);
  let before = Date.parse(run.createdAt);
  const missing = (name: StepName): StepStatus => {
    if (over) return run.state === 'completed' ? 'skipped' : 'unreached';
    return isPast(name, current ?? null) ? 'skipped' : 'waiting';
  };
  return STEPS.map((name) => {
    const from = before;
    if (name === current) return { name, status: run.deadLetter ? 'stuck' : 'active', from, to: null };
    const end = name === stop?.name ? stop.at : (ended.get(name) ?? null);
    if (end === null) return { name, status: missing(name), from: null, to: null };
    before = Math.max(before, end);
    return { name, status: name === stop?.name ? stop.status : 'done', from, to: before };
  });
}

function isPast(name: StepName, current: StepName | null): boolean {
  return current !== null && STEPS.indexOf(name) < STEPS.indexOf(current);
}

function stepNamed(name: string): StepName | null {
  const known = name === 'reviews' || name === 'decisions' ? 'review' : name;
  return STEPS.find((step) => step === known) ?? null;
}

/** Time that Sluice itself worked: the wait for people is theirs, and what is stuck does not work. */
export function workedMilliseconds(all: readonly Step[], now: number): number {
  return all
    .filter((step) => step.name !== 'review' && step.status !== 'stuck' && step.from !== null)
    .reduce((sum, step) => sum + ((step.to ?? now) - step.from!), 0);
}

export interface Bar {
  readonly step: Step;
  /** Shares of the whole, from 0 to 1. */
  readonly from: number;
  readonly length: number;
}

export interface Axis {
  readonly bars: readonly Bar[];
  /** A wait is drawn shorter than it was. */
  readonly isShortened: boolean;
}

/** Steps side by side. People may take days where Sluice takes a second: a wait is never drawn longer than all of its own work. */
export function axis(all: readonly Step[], now: number): Axis {
  const worked = workedMilliseconds(all, now);
  const begun = all.filter((step) => step.from !== null);
  const lengths = begun.map((step) => {
    const length = (step.to ?? now) - step.from!;
    return step.name === 'review' || step.status === 'stuck' ? Math.min(length, worked) : length;
  });
  const whole = Math.max(lengths.reduce((sum, length) => sum + length, 0), 1);
  let at = 0;
  const bars = begun.map((step, i) => {
    const bar = { step, from: at / whole, length: lengths[i]! / whole };
    at += lengths[i]!;
    return bar;
  });
  return { bars, isShortened: begun.some((step, i) => (step.to ?? now) - step.from! > lengths[i]!) };
}
