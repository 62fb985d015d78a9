import type { EventView, RunSummary } from '../../api/extra';
import { hasEnded } from '../state';

export const STEPS = ['admit', 'move', 'seal', 'transform', 'gather', 'review', 'publish', 'archive'] as const;
export type StepName = (typeof STEPS)[number];

export type StepStatus = 'done' | 'active' | 'stuck' | 'failed' | 'waiting' | 'skipped' | 'unreached';

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

type TimedRun = Pick<RunSummary, 'state' | 'createdAt' | 'updatedAt' | 'deadLetter' | 'failure' | 'cases'>;

/** What each step did and when, from the audit events of the run. */
export function steps(run: TimedRun, events: readonly EventView[]): readonly Step[] {
  const ended = new Map<StepName, number>();
  for (const event of events) {
    const step = ENDS[event.action];
    if (step) ended.set(step, Date.parse(event.at));
  }
  const over = hasEnded(run);
  const current = over ? null : (STEP_OF_STATE[run.state] ?? null);
  const broken = over && run.failure ? stepNamed(run.failure.step) : null;
  let before = Date.parse(run.createdAt);
  const missing = (name: StepName): StepStatus => {
    if (run.state === 'completed' || isPast(name, current)) return 'skipped';
    return over ? 'unreached' : 'waiting';
  };
  return STEPS.map((name) => {
    const end = ended.get(name) ?? null;
    const from = before;
    if (name === current) return { name, status: run.deadLetter ? 'stuck' : 'active', from, to: null };
    if (name === broken && (end === null || name !== 'archive')) {
      const to = Date.parse(run.updatedAt);
      before = to;
      return { name, status: 'failed', from, to };
    }
    if (end === null) return { name, status: missing(name), from: null, to: null };
    before = Math.max(before, end);
    return { name, status: 'done', from, to: Math.max(from, end) };
  });
}

function isPast(name: StepName, current: StepName | null): boolean {
  return current !== null && STEPS.indexOf(name) < STEPS.indexOf(current);
}

function stepNamed(name: string): StepName | null {
  const known = name === 'reviews' || name === 'decisions' ? 'review' : name;
  return STEPS.find((step) => step === known) ?? null;
}

/** From the first sign of the run to its end, or to now. */
export function span(run: TimedRun, all: readonly Step[], now: number): { from: number; to: number } {
  const from = Date.parse(run.createdAt);
  const last = hasEnded(run) ? Math.max(...all.map((step) => step.to ?? 0), from) : now;
  return { from, to: Math.max(last, from + 1) };
}

/** Time that Sluice itself worked: the wait for people is theirs. */
export function workedMilliseconds(all: readonly Step[], now: number): number {
  return all
    .filter((step) => step.name !== 'review' && step.from !== null)
    .reduce((sum, step) => sum + ((step.to ?? now) - step.from!), 0);
}
