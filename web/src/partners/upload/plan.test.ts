import { describe, expect, it } from 'vitest';

import { blockBytes, blockCount, blockId, blockRange } from './plan';

const GIB = 1024 ** 3;

describe('blocks', () => {
  it('are never more than a blob can have', () => {
    for (const size of [1, 8 * 1024 ** 2, 390 * GIB, 391 * GIB, 4000 * GIB]) {
      const plan = { size, blockBytes: blockBytes(size) };
      expect(blockCount(plan)).toBeLessThanOrEqual(50_000);
      expect(blockRange(plan, blockCount(plan) - 1)[1]).toBe(size);
    }
  });
  it('cover a file without a gap', () => {
    const plan = { size: 20, blockBytes: 8 };
    expect([0, 1, 2].map((index) => blockRange(plan, index))).toEqual([
      [0, 8],
      [8, 16],
      [16, 20],
    ]);
  });
  it('have ids of one length', () => {
    expect(new Set([0, 9, 49_999].map((index) => blockId(index).length)).size).toBe(1);
  });
});
