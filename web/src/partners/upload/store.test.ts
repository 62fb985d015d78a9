import 'fake-indexeddb/auto';

import { expect, it } from 'vitest';

import type { Plan } from './plan';
import { forgetPlan, noteStaged, plansOf, savePlan, stagedOf } from './store';

const plan = (id: string, owner: string): Plan => ({
  id,
  owner,
  partner: null,
  path: `flights/${id}.csv`,
  name: `${id}.csv`,
  size: 20,
  lastModified: 1,
  blockBytes: 8,
  fixes: null,
  startedAt: '2026-11-25T09:00:00Z',
  handle: null,
});

it('keeps plans apart by person and blocks apart by plan', async () => {
  await savePlan(plan('a', 'rita'));
  await savePlan(plan('b', 'rita'));
  await savePlan(plan('c', 'ravi'));
  await noteStaged('a', 0, 'x');
  await noteStaged('a', 10, 'y');
  await noteStaged('b', 1, 'z');
  expect((await plansOf('rita')).map(({ id }) => id)).toEqual(['a', 'b']);
  expect([...(await stagedOf('a'))]).toEqual([
    [0, 'x'],
    [10, 'y'],
  ]);
  await forgetPlan('a');
  expect((await plansOf('rita')).map(({ id }) => id)).toEqual(['b']);
  expect((await stagedOf('a')).size).toBe(0);
  expect([...(await stagedOf('b'))]).toEqual([[1, 'z']]);
});
