import { describe, expect, it } from 'vitest';

import type { HeldRow } from '../../api/extra';
import { cellsOf, rawFields, splitRecord } from './cells';

const row = (raw: string, parsed: HeldRow['parsed'], more: Partial<HeldRow> = {}): HeldRow => ({
  row: 0, line: 2, offset: 0, cause: { kind: 'rule', name: 'r' }, problems: [], proposed: parsed, raw, parsed, ...more,
});

describe('splitRecord', () => {
  it('knows quotes, doubled quotes and empty fields', () => {
    expect(splitRecord('a,"b, ""c""",,"d\ne"', ',')).toEqual(['a', 'b, "c"', '', 'd\ne']);
  });
});

describe('rawFields', () => {
  it('gives fields to columns by place when the values agree', () => {
    expect(rawFields(row('007;x;NA', { id: 7, name: 'x', at: null }))).toEqual({ id: '007', name: 'x', at: 'NA' });
  });

  it('claims nothing when the order of the file is another one', () => {
    expect(rawFields(row('x,y,7', { id: 7, name: 'x', other: 'y' }))).toEqual({});
  });

  it('reads JSON by name', () => {
    expect(rawFields(row('{"id": 7, "tags": ["a"]}', { id: 7 }))).toEqual({ id: '7', tags: '["a"]' });
  });
});

describe('cellsOf', () => {
  it('puts columns first whose value a reason of the whole row tells', () => {
    const problem = { code: 'R0402', row: 0, line: 2, offset: 0, rule: 'late', message: 'MQ was 851 min late, on day 1' };
    const cells = cellsOf(row('1,MQ,851', { day: 1, carrier: 'MQ', delay: 851 }, { problems: [problem] }));
    expect(cells.map((cell) => [cell.column, cell.named])).toEqual([
      ['carrier', true],
      ['delay', true],
      ['day', false],
    ]);
  });

  it('shows offending columns first, with the value that the problem names', () => {
    const problem = { code: 'R0303', row: 0, line: 2, offset: 0, column: 'b', value: ' zz ', message: 'is not known' };
    const cells = cellsOf(row('1,zz', { a: 1, b: 'zz' }, { problems: [problem], proposed: { a: 1, b: 'zz', made: true } }));
    expect(cells.map((cell) => [cell.column, cell.raw, cell.derived])).toEqual([
      ['b', ' zz ', false],
      ['a', '1', false],
      ['made', null, true],
    ]);
  });
});
