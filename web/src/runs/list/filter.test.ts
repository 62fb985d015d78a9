import { describe, expect, it } from 'vitest';

import type { RunSummary } from '../../api/extra';
import { fromSearch, matches, merge, toQuery, toSearch, type RunFilter } from './filter';

const ALL: RunFilter = { view: 'all', partner: '', pipeline: '', path: '' };
const run = (runId: string, createdAt: string, state = 'moving'): RunSummary => ({
  runId, submissionId: runId, attempt: 1, partner: 'p', path: 'a.csv', size: 1, state, createdAt, updatedAt: createdAt, openCases: 0, cases: 0, receipt: false,
});
const ids = (items: readonly RunSummary[]) => items.map((item) => item.runId);

describe('the address of a filtered list', () => {
  it('says all that the filter says', () => {
    const filter: RunFilter = { view: 'failed', partner: 'sky & line', pipeline: 'flights', path: '' };
    expect(fromSearch(toSearch(filter))).toEqual(filter);
    expect(toSearch(ALL)).toBe('');
  });

  it('falls back on all for a view that is not known', () => {
    expect(fromSearch('?view=nonsense').view).toBe('all');
  });
});

describe('toQuery', () => {
  it('names the states of a view', () => {
    expect(toQuery({ ...ALL, view: 'inFlight' }, 0)).toEqual({ state: 'moving,sealing,transforming,gathering,publishing,archiving' });
    expect(toQuery({ ...ALL, view: 'rejected', partner: 'p' }, 0)).toEqual({ state: 'rejected', partner: 'p' });
  });

  it('asks for dead letters, and for what has not changed for a while', () => {
    expect(toQuery({ ...ALL, view: 'stuck' }, 0)).toEqual({ deadLettered: true });
    expect(toQuery({ ...ALL, view: 'quiet' }, Date.parse('2026-01-01T12:00:00Z'))).toMatchObject({ quietSince: '2026-01-01T11:45:00.000Z' });
  });
});

describe('matches', () => {
  it('takes a run that moves again off the list of those without progress', () => {
    const quiet: RunFilter = { ...ALL, view: 'quiet' };
    const at = '2026-01-01T12:00:00Z';
    expect(matches(quiet, run('a', at), Date.parse('2026-01-01T12:20:00Z'))).toBe(true);
    expect(matches(quiet, run('a', at), Date.parse('2026-01-01T12:10:00Z'))).toBe(false);
  });

  it('takes for stuck whatever has a dead letter, ended or not', () => {
    const stuck: RunFilter = { ...ALL, view: 'stuck' };
    const deadLetter = { code: 'MaxDeliveryCountExceeded', message: 'gave up', step: 'archive' };
    expect(matches(stuck, { ...run('a', '1', 'failed'), deadLetter })).toBe(true);
    expect(matches(stuck, { ...run('a', '1', 'moving'), deadLetter })).toBe(true);
    expect(matches(stuck, run('a', '1', 'moving'))).toBe(false);
  });
});

describe('merge', () => {
  const items = [run('c', '3'), run('b', '2')];

  it('replaces what is there and puts what is new in its place', () => {
    const merged = merge(ALL, items, [run('b', '2', 'completed'), run('d', '4')]);
    expect(ids(merged)).toEqual(['d', 'c', 'b']);
    expect(merged[2]!.state).toBe('completed');
  });

  it('takes out what no longer belongs to the view', () => {
    expect(ids(merge({ ...ALL, view: 'inFlight' }, items, [run('c', '3', 'completed')]))).toEqual(['b']);
  });

  it('does not add what a later page will bring', () => {
    expect(ids(merge(ALL, items, [run('a', '1')]))).toEqual(['c', 'b']);
  });
});
