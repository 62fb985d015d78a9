import { describe, expect, it } from 'vitest';

import { dayBars, lastDays, streams } from './series';
import type { DayCount } from './summary';

const count = (day: string, partner: string, rows: number, rejected: number): DayCount => ({ day, partner, pipeline: 'p', runs: 1, rows, rejected, bytes: rows });

describe('lastDays', () => {
  it('ends with the day of the summary and crosses a month', () => {
    expect(lastDays('2026-03-02T23:59:00Z', 3)).toEqual(['2026-02-28', '2026-03-01', '2026-03-02']);
  });
});

describe('dayBars', () => {
  it('adds up, keeps silent days, and leaves out days before the first', () => {
    const days = ['2026-11-24', '2026-11-25'];
    const counts = [count('2026-11-25', 'a', 10, 2), count('2026-11-25', 'b', 5, 0), count('2026-11-01', 'a', 99, 99)];
    expect(dayBars(counts, days)).toEqual([
      { day: '2026-11-24', accepted: 0, rejected: 0 },
      { day: '2026-11-25', accepted: 13, rejected: 2 },
    ]);
  });
});

describe('streams', () => {
  it('groups by partner and pipeline, the largest first', () => {
    const found = streams([count('2026-11-24', 'a', 1, 0), count('2026-11-25', 'b', 5, 1), count('2026-11-25', 'a', 2, 0)], ['2026-11-25']);
    expect(found.map((s) => [s.partner, s.runs, s.rows, s.rejected])).toEqual([['b', 1, 5, 1], ['a', 2, 3, 0]]);
  });
});
