import { describe, expect, it } from 'vitest';

import { outlook, type Trial } from './outlook';

const trial = (change: Partial<Trial>): Trial => ({
  pipeline: 'flights',
  version: 1,
  rows: 10,
  accepted: 10,
  rejected: 0,
  held: 0,
  filtered: 0,
  duplicate: 0,
  truncated: false,
  refusals: [],
  problems: [],
  rejectedSample: '',
  ...change,
});

describe('outlook', () => {
  it('is bad when nothing of the file would be taken', () => {
    expect(outlook(trial({ refusals: [{ code: 'F0003', message: 'no such column' }], rows: 0, accepted: 0 }))).toBe('bad');
    expect(outlook(trial({ accepted: 0, rejected: 10 }))).toBe('bad');
  });
  it('is mixed when some rows would not go through', () => {
    expect(outlook(trial({ accepted: 9, rejected: 1 }))).toBe('mixed');
    expect(outlook(trial({ accepted: 9, held: 1 }))).toBe('mixed');
    expect(outlook(trial({ accepted: 0, filtered: 10 }))).toBe('mixed');
  });
  it('is good when every row would be accepted, or left out as agreed', () => {
    expect(outlook(trial({}))).toBe('good');
    expect(outlook(trial({ accepted: 9, filtered: 1 }))).toBe('good');
  });
});
