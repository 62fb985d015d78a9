import { describe, expect, it } from 'vitest';

import { fit, fixesPath, suggest } from './path';

describe('fit', () => {
  it('puts a name into the folder of a glob', () => {
    expect(fit('flights/*.csv', 'may.csv')).toBe('flights/may.csv');
    expect(fit('orders/**/*.ndjson', 'may.ndjson')).toBe('orders/may.ndjson');
    expect(fit('in/may-?.csv', 'may-1.csv')).toBe('in/may-1.csv');
  });
  it('does not guess', () => {
    expect(fit('flights/*.csv', 'may.json')).toBeNull();
    expect(fit('flights/*/*.csv', 'may.csv')).toBeNull();
    expect(fit('a.b/*.csv', 'mayxcsv')).toBeNull();
  });
});

it('suggest takes every glob that fits', () => {
  expect(suggest(['a/*.csv', 'b/*.json', 'c/*.json', 'c/**/*.json'], 'x.json')).toEqual(['b/x.json', 'c/x.json']);
  expect(suggest([], 'x.json')).toEqual([]);
});

describe('fixesPath', () => {
  it('stays beside the file and keeps its ending', () => {
    expect(fixesPath('flights/may.csv', 1)).toBe('flights/may-fixes-1.csv');
    expect(fixesPath('flights/2013.01/may.csv.gz', 2)).toBe('flights/2013.01/may-fixes-2.csv.gz');
    expect(fixesPath('flights/may', 1)).toBe('flights/may-fixes-1');
  });
  it('does not pile up', () => {
    expect(fixesPath('flights/may-fixes-1.csv', 2)).toBe('flights/may-fixes-2.csv');
  });
});
