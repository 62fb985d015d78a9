import { expect, it } from 'vitest';

import type { CaseView } from '../../api/extra';
import { mergeCases } from './merge';

const one = (caseId: string, runId: string, dueAt: string, status = 'open') => ({ caseId, runId, dueAt, status }) as CaseView;
const ids = (cases: readonly CaseView[]) => cases.map((it) => `${it.caseId}:${it.status}`);

const shown = [one('a', 'r1', '1'), one('b', 'r2', '2'), one('c', 'r1', '3')];

it('replaces, drops and adds the cases of changed runs, in the order of the queue', () => {
  const fresh = [one('c', 'r1', '3', 'confirming'), one('d', 'r1', '1.5')];
  expect(ids(mergeCases(shown, new Set(['r1']), fresh, true))).toEqual(['d:open', 'b:open', 'c:confirming']);
});

it('leaves what comes after the end to its page', () => {
  const late = [one('a', 'r1', '1'), one('c', 'r1', '3'), one('z', 'r1', '9')];
  expect(ids(mergeCases(shown, new Set(['r1']), late, false))).toEqual(['a:open', 'b:open', 'c:open']);
  expect(ids(mergeCases(shown, new Set(['r1']), late, true))).toEqual(['a:open', 'b:open', 'c:open', 'z:open']);
});
