import { describe, expect, it } from 'vitest';

import { fromSearch, toQuery, toSearch } from './filter';

const NOON = Date.parse('2026-01-02T12:00:00Z');
const query = (search: string) => toQuery(fromSearch(search), NOON);

describe('the queue in its address', () => {
  it('comes back as it was', () => {
    const search = '?view=mine&pipeline=flights&age=24&due=4&text=late+%26+lost';
    expect(toSearch(fromSearch(search))).toBe(search);
    expect(toSearch(fromSearch('?view=nonsense'))).toBe('');
  });
});

describe('toQuery', () => {
  it('counts age and due time from now', () => {
    expect(query('?age=24')).toEqual({ openedBefore: '2026-01-01T12:00:00.000Z' });
    expect(query('?due=4')).toEqual({ dueBefore: '2026-01-02T16:00:00.000Z' });
  });
  it('leaves the search to the API, and asks for nothing where nothing is typed', () => {
    expect(query('?text=+late+')).toEqual({ text: 'late' });
    expect(query('?text=+')).toEqual({});
  });
  it('names what a view shows', () => {
    expect(query('?view=mine')).toEqual({ mine: true });
    expect(query('?view=decided&partner=skyline')).toEqual({ status: 'decided,void', partner: 'skyline' });
  });
});
