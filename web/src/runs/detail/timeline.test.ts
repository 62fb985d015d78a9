import { describe, expect, it } from 'vitest';

import type { EventView } from '../../api/extra';
import { span, steps, workedMilliseconds } from './timeline';

const START = Date.parse('2026-11-25T09:00:00Z');
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();
const event = (action: string, seconds: number): EventView => ({
  seq: 0, at: at(seconds), actor: { type: 'step', name: 'x' }, action, detail: {}, previous: '', hash: '',
});
const run = (state: string, more: object = {}) => ({ state, createdAt: at(0), updatedAt: at(60), cases: 0, deadLetter: null, failure: null, ...more });
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
    expect(span(run('completed'), all, 0)).toEqual({ from: START, to: START + 60_000 });
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

  it('shows where a run broke, and what was not reached', () => {
    const failure = { code: 'J0101', message: 'gone', step: 'seal' };
    const all = steps(run('failed', { failure }), ALL.slice(0, 2));
    expect(statuses(all)).toEqual(['done', 'done', 'failed', ...Array(5).fill('unreached')]);
  });

  it('shows a dead letter at the step that is stuck', () => {
    const deadLetter = { code: 'x', message: 'x', step: 'move' };
    expect(statuses(steps(run('moving', { deadLetter }), ALL.slice(0, 1))).slice(0, 3)).toEqual(['done', 'stuck', 'waiting']);
  });
});

describe('workedMilliseconds', () => {
  it('leaves out the wait for people', () => {
    expect(workedMilliseconds(steps(run('completed'), ALL), 0)).toBe(19_000);
  });
});
