import { describe, expect, it } from 'vitest';

import type { VerdictView } from '../../api/extra';
import { pack, unpack } from './pack';

const approve: VerdictView = { verdict: 'approve' };
const fix: VerdictView = { verdict: 'correct', values: { a: '1', b: null } };

describe('a packed draft', () => {
  it('holds neighbouring rows of one verdict as one range', () => {
    expect(pack({ 3: approve, 4: { ...approve }, 5: approve, 9: approve, 6: fix })).toEqual([
      [approve, '3-5,9'],
      [fix, '6'],
    ]);
  });

  it('comes back as it was', () => {
    const rows = { 0: approve, 2: fix, 3: fix, 7: { verdict: 'return' as const }, 8: approve };
    expect(unpack(pack(rows))).toEqual(rows);
    expect(unpack(pack({}))).toEqual({});
  });

  it('is small, however many rows it is of', () => {
    const rows = Object.fromEntries(Array.from({ length: 100_000 }, (_, row) => [row * 2, approve]));
    expect(JSON.stringify(pack(rows)).length).toBeLessThan(800_000);
  });
});
