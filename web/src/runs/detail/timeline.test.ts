import { describe, expect, it } from 'vitest';

import type { EventView } from '../../api/extra';
import { axis, steps, workedMilliseconds } from './timeline';

const START = Date.parse('2026-11-25T09:00:00Z');
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const event = (action: string, seconds: number, detail: object = {}): EventView => ({
  seq: 0, at: at(seconds), actor: { type: 'step', name: 'x' }, action, detail: detail as EventView['detail'], previous: '', hash: '',
});
const run = (state: string, more: object = {}) => ({ state, createdAt: at(0), deadLetter: null, failure: null, ...more });
const statuses = (all: readonly { status: string }[]) => all.map((step) => step.status);

const ALL = [
  event('run.admitted', 0), event('run.moved', 2), event('run.sealed', 3), event('run.transformed', 8), event('run.gathered', 9),
  event('run.decided', 50), event('run.published', 55), event('run.archived', 60),
];

describe('steps', () => {
  it('lines up the steps of a completed run without gaps', () => {
    const all = steps(run('completed'), ALL);
    expect(statuses(all)).toEqual(Array(8).fill('done'));
    expect(all[5]).toMatchObject({ name: 'review', from: START + 9000, to: START + 50_000 });
  });

  it('counts the second pass of a run with repeated keys', () => {
    const twice = [...ALL.slice(0, 4), event('run.excluded', 9), event('run.transformed', 12), event('run.gathered', 13)];
    const all = steps(run('reviewing'), twice);
    expect(all[3]).toMatchObject({ name: 'transform', to: START + 12_000 });
    expect(all[4]).toMatchObject({ name: 'gather', from: START + 12_000, to: START + 13_000 });
    expect(all[5]).toMatchObject({ name: 'review', status: 'active', to: null });
  });

  it('leaves out the review of a run that needed none', () => {
    const all = steps(run('completed'), ALL.filter((e) => e.action !== 'run.decided'));
    expect(all[5]).toMatchObject({ name: 'review', status: 'skipped', from: null });
    expect(all[6]).toMatchObject({ name: 'publish', from: START + 9000 });
  });

  it('shows where a run broke, what was not reached, and that it was archived all the same', () => {
    const failure = { code: 'F0031', message: 'too many', step: 'gather' };
    const all = steps(run('rejected', { failure }), [...ALL.slice(0, 4), event('run.rejected', 9), event('run.archived', 12)]);
    expect(statuses(all)).toEqual(['done', 'done', 'done', 'done', 'refused', 'unreached', 'unreached', 'done']);
    expect(all[4]).toMatchObject({ from: START + 8000, to: START + 9000 });
    expect(all[7]).toMatchObject({ from: START + 9000, to: START + 12_000 });
  });

  it('shows the step in which a run was cancelled', () => {
    const all = steps(run('cancelled'), [...ALL.slice(0, 5), event('run.cancelled', 20, { from: 'reviewing' })]);
    expect(statuses(all).slice(4)).toEqual(['done', 'stopped', 'unreached', 'unreached']);
  });

  it('shows a dead letter at the step that is stuck', () => {
    const deadLetter = { code: 'x', message: 'x', step: 'move' };
    expect(statuses(steps(run('moving', { deadLetter }), ALL.slice(0, 1))).slice(0, 3)).toEqual(['done', 'stuck', 'waiting']);
  });
});

it('shows the archive of a failed run as stuck', () => {
  const failure = { code: 'L0404', message: 'gone', step: 'decisions' };
  const deadLetter = { code: 'MaxDeliveryCountExceeded', message: 'gave up', step: 'archive' };
  const all = steps(run('failed', { failure, deadLetter }), [...ALL.slice(0, 5), event('run.failed', 20)]);
  expect(statuses(all).slice(4)).toEqual(['done', 'failed', 'unreached', 'stuck']);
  expect(workedMilliseconds(all, START + 1_000_000)).toBe(9000);
});

describe('workedMilliseconds', () => {
  it('leaves out the wait for people', () => {
    expect(workedMilliseconds(steps(run('completed'), ALL), 0)).toBe(19_000);
  });
});

describe('axis', () => {
  it('lines up the bars, and draws the wait for people no longer than the work', () => {
    const { bars, isShortened } = axis(steps(run('completed'), ALL), 0);
    expect(isShortened).toBe(true);
    expect(bars.find((bar) => bar.step.name === 'review')!.length).toBe(0.5);
    expect(bars.reduce((sum, bar) => sum + bar.length, 0)).toBeCloseTo(1);
    expect(bars.every((bar, i) => i === 0 || Math.abs(bar.from - bars[i - 1]!.from - bars[i - 1]!.length) < 1e-9)).toBe(true);
  });
});
