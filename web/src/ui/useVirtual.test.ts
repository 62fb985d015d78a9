import { describe, expect, it } from 'vitest';

import { rangeOf } from './useVirtual';

describe('rangeOf', () => {
  it('holds every row that is seen, and some beyond', () => {
    for (let top = 0; top < 3600; top += 7) {
      const [first, end] = rangeOf(top, 500, 36, 1000);
      expect(first).toBeLessThanOrEqual(Math.max(Math.floor(top / 36) - 12, 0));
      expect(end).toBeGreaterThanOrEqual(Math.ceil((top + 500) / 36) + 12);
      expect(end - first).toBeLessThan(60);
    }
  });
  it('stays within the list', () => {
    expect(rangeOf(0, 500, 36, 5)).toEqual([0, 5]);
    expect(rangeOf(0, 500, 36, 0)).toEqual([0, 0]);
    expect(rangeOf(36 * 99_990, 500, 36, 100_000)[1]).toBe(100_000);
    // The list has become shorter than where one was.
    expect(rangeOf(36 * 500, 500, 36, 10)).toEqual([10, 10]);
  });
  it('changes every few rows only', () => {
    const ranges = new Set(Array.from({ length: 36 * 80 }, (_, top) => rangeOf(36 * 100 + top, 500, 36, 100_000).join()));
    expect(ranges.size).toBeLessThanOrEqual(22);
  });
});
