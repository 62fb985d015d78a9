import { describe, expect, it } from 'vitest';

import type { HeldRow, RowProblem } from '../../api/extra';
import { Grouping } from './groups';
import { MessageShapes, shapeOf } from './shape';

function held(row: number, problems: readonly Partial<RowProblem>[]): HeldRow {
  const full = problems.map((problem) => ({ code: 'R0303', row, line: row + 2, offset: 0, message: 'is not known', ...problem }));
  return { row, line: row + 2, offset: 0, cause: { kind: 'problem', name: full[0]!.code }, problems: full, raw: '', parsed: {}, proposed: {} };
}

describe('shapeOf', () => {
  it('keeps the form and drops the content', () => {
    expect(shapeOf('AB-12 é٣')).toBe('aa-99 a9');
    expect(shapeOf('')).toBe('');
    expect(shapeOf('x'.repeat(40))).toBe(`${'a'.repeat(32)}…`);
  });
});

describe('MessageShapes', () => {
  it('takes words that differ for values, and keeps the others as they are', () => {
    const shapes = new MessageShapes();
    shapes.add('late', 'over 300 minutes: 1,035 in -10.5 to MDW');
    shapes.add('late', 'over 300 minutes: 90 in 105 to X9');
    shapes.add('other', 'over 20 minutes: 1 in 1 to MDW');
    expect(shapes.of('late', 'over 300 minutes: 1,035 in -10.5 to MDW')).toBe('over 300 minutes: n in n to aaa');
    expect(shapes.of('other', 'over 20 minutes: 1 in 1 to MDW')).toBe('over 20 minutes: 1 in 1 to MDW');
  });
});

const groupRows = (rows: readonly HeldRow[]) => new Grouping().of(rows);

describe('Grouping', () => {
  it('puts rows together that differ only in the content of the value, the largest group first', () => {
    const groups = groupRows([
      held(1, [{ column: 'carrier', value: '??' }]),
      held(2, [{ column: 'carrier', value: 'Z1' }]),
      held(3, [{ column: 'carrier', value: 'x9' }]),
    ]);
    expect(groups.map((group) => [group.shape, group.rows.map((row) => row.row)])).toEqual([
      ['a9', [2, 3]],
      ['??', [1]],
    ]);
  });

  it('keeps apart rows that are held for a further reason', () => {
    const late = { code: 'R0402', rule: 'late', message: 'late by 5' };
    const groups = groupRows([held(1, [{ column: 'c', value: 'a' }]), held(2, [{ column: 'c', value: 'b' }, late])]);
    expect(groups.map((group) => group.more).sort()).toEqual([0, 1]);
  });

  it('takes the order of reasons for nothing', () => {
    const a = { column: 'a', value: '1' };
    const b = { column: 'b', value: '2' };
    expect(groupRows([held(1, [a, b]), held(2, [b, a])])).toHaveLength(1);
  });

  it('comes to the same page by page as at once, also where a later row shows that messages differ', () => {
    const late = (row: number, message: string) => held(row, [{ code: 'R0402', rule: 'late', message }]);
    const rows = [late(1, 'over 300 minutes late'), late(2, 'over 300 minutes late'), late(3, 'over 45 minutes late'), held(4, [{ column: 'c', value: 'x' }])];
    const paged = new Grouping();
    for (let end = 1; end <= rows.length; end += 1) {
      expect(paged.of(rows.slice(0, end))).toEqual(groupRows(rows.slice(0, end)));
    }
    // Other rows are no continuation.
    expect(paged.of(rows.slice(2))).toEqual(groupRows(rows.slice(2)));
  });
});
