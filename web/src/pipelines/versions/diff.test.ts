import { describe, expect, it } from 'vitest';

import { changedLines, diff } from './diff';

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}`);

describe('diff', () => {
  it('says nothing about equal texts', () => {
    expect(diff('a\nb\n', 'a\nb')).toEqual([]);
  });

  it('numbers lines on both sides and passes over what is far away', () => {
    const before = numbered(20);
    const after = [...before.slice(0, 9), 'new', ...before.slice(10)];
    const parts = diff(before.join('\n'), after.join('\n'), 1);
    expect(parts[0]).toEqual({ passedOver: 8 });
    expect(parts[2]).toEqual({ passedOver: 9 });
    expect('lines' in parts[1]! && parts[1].lines).toEqual([
      { kind: 'same', text: 'line 9', before: 9, after: 9 },
      { kind: 'removed', text: 'line 10', before: 10, after: null },
      { kind: 'added', text: 'new', before: null, after: 10 },
      { kind: 'same', text: 'line 11', before: 11, after: 11 },
    ]);
    expect(changedLines(parts)).toEqual({ added: 1, removed: 1 });
  });
});
