import { describe, expect, it } from 'vitest';

import { emptyDraft, fromDecision, isSame, tally, toDecision, verdictOf, withCorrections, withVerdict } from './draft';

const by = { type: 'person', name: 'Rita', id: '1' };

describe('a draft', () => {
  it('counts rows without a verdict as undecided until the rest has one', () => {
    const draft = withVerdict(emptyDraft('d'), [1, 2], { verdict: 'reject' });
    expect(tally(draft, 10)).toEqual({ approve: 0, reject: 2, return: 0, correct: 0, undecided: 8 });
    expect(tally({ ...draft, rest: { verdict: 'return' } }, 10)).toEqual({ approve: 0, reject: 2, return: 8, correct: 0, undecided: 0 });
    expect(verdictOf(draft, 3)).toBeNull();
  });

  it('is sent with the most frequent verdict for the case and only the others by row', () => {
    let draft = withVerdict(emptyDraft('d'), [1, 2, 3], { verdict: 'reject' });
    draft = withVerdict(draft, [4], { verdict: 'approve' });
    draft = withVerdict(draft, [5], { verdict: 'correct', values: { c: null } });
    expect(toDecision(draft, 5)).toEqual({
      digest: 'd',
      comment: '',
      verdict: { verdict: 'reject' },
      rows: { 4: { verdict: 'approve' }, 5: { verdict: 'correct', values: { c: null } } },
    });
  });

  it('decides every row as it says, whatever the short form is', () => {
    const rest = { ...emptyDraft('d'), rest: { verdict: 'approve' as const } };
    const draft = withVerdict(rest, [0, 1, 2], { verdict: 'reject' });
    const sent = toDecision(draft, 4);
    const decided = [0, 1, 2, 3].map((row) => (sent.rows[row] ?? sent.verdict).verdict);
    expect(decided).toEqual([0, 1, 2, 3].map((row) => verdictOf(draft, row)?.verdict));
  });

  it('says a correction of all rows once', () => {
    const values = { c: '1' };
    const draft = withCorrections(emptyDraft('d'), new Map([[1, values], [2, values], [3, { c: '2' }]]));
    expect(toDecision(draft, 3)).toMatchObject({ verdict: { verdict: 'correct', values }, rows: { 3: { verdict: 'correct', values: { c: '2' } } } });
  });

  it('keeps what was corrected in other columns', () => {
    const first = withCorrections({ ...emptyDraft('d'), rest: { verdict: 'approve' } }, new Map([[1, { a: 'x', b: 'y' }]]));
    const second = withCorrections(first, new Map([[1, { b: null }], [2, { b: null }]]));
    expect(verdictOf(second, 1)).toEqual({ verdict: 'correct', values: { a: 'x', b: null } });
    expect(verdictOf(second, 2)).toEqual({ verdict: 'correct', values: { b: null } });
  });

  it('says the same as the decision it was made from', () => {
    const first = { by, at: '', comment: 'why', verdict: { verdict: 'approve' as const }, rows: { 7: { verdict: 'correct' as const, values: { a: '1', b: null } } } };
    expect(isSame(first, toDecision(fromDecision(first, 'd'), 9))).toBe(true);
  });
});

describe('isSame', () => {
  const decision = (verdict: 'approve' | 'reject', rows = {}) => ({ verdict: { verdict }, rows });

  it('looks at rows, not at how they are written', () => {
    expect(isSame(decision('approve'), decision('approve', { 3: { verdict: 'approve' } }))).toBe(true);
    expect(isSame(decision('approve', { 3: { verdict: 'reject' } }), decision('approve'))).toBe(false);
    expect(isSame(decision('approve'), decision('reject'))).toBe(false);
  });

  it('takes the order of corrected columns for nothing, but not their values', () => {
    const one = decision('approve', { 3: { verdict: 'correct', values: { a: '1', b: '2' } } });
    expect(isSame(one, decision('approve', { 3: { verdict: 'correct', values: { b: '2', a: '1' } } }))).toBe(true);
    expect(isSame(one, decision('approve', { 3: { verdict: 'correct', values: { b: '2', a: '' } } }))).toBe(false);
    expect(isSame(decision('approve', { 3: { verdict: 'correct', values: { a: null } } }), decision('approve', { 3: { verdict: 'correct', values: { a: '' } } }))).toBe(false);
  });
});
