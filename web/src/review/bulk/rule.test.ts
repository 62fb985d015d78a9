import { describe, expect, it } from 'vitest';

import { applyRule, type Rule } from './rule';

const replace = (find: string, by: string, ignoreCase = false): Rule => ({ kind: 'replace', find, by, ignoreCase });

describe('applyRule', () => {
  it('replaces every occurrence of a text, which is no pattern', () => {
    expect(applyRule(replace('1.0', '2'), '1.0 and 1.0, not 1x0')).toBe('2 and 2, not 1x0');
    expect(applyRule(replace('[a-c]', '$&'), 'x[a-c]y')).toBe('x$&y');
    expect(applyRule(replace('\\', '/'), 'a\\b')).toBe('a/b');
  });

  it('takes every sign of a pattern for itself', () => {
    for (const sign of '\\^$.*+?()[]{}|/-') expect(applyRule(replace(sign, '_'), `a${sign}b`)).toBe('a_b');
  });

  it('ignores upper and lower case where it is told to', () => {
    expect(applyRule(replace('ewr', 'JFK'), 'EWR')).toBeUndefined();
    expect(applyRule(replace('ewr', 'JFK', true), 'EWR')).toBe('JFK');
  });

  it('leaves alone what is as it should be', () => {
    expect(applyRule({ kind: 'set', value: '7' }, '7')).toBeUndefined();
    expect(applyRule({ kind: 'set', value: '7' }, null)).toBe('7');
    expect(applyRule({ kind: 'empty' }, null)).toBeUndefined();
    expect(applyRule({ kind: 'empty' }, '')).toBeNull();
    expect(applyRule(replace('', 'x'), 'abc')).toBeUndefined();
    expect(applyRule(replace('a', 'b'), null)).toBeUndefined();
  });
});
