import { describe, expect, it } from 'vitest';

import { steps } from './stage';

const counts = { rows: 1, published: 1, corrected: 0, rejected: 0, filtered: 0, duplicate: 0, held: 0, returned: 0 };

describe('steps', () => {
  it('has a review only where rows were held', () => {
    expect(steps({ state: 'completed', cases: 0, counts }).map(({ name }) => name)).toEqual(['Received', 'Checked', 'Published', 'Archived']);
    expect(steps({ state: 'reviewing', cases: 2, counts }).find(({ place }) => place === 'current')?.name).toBe('Reviewed');
  });
  it('does not know yet whether there is one before the file is checked', () => {
    expect(steps({ state: 'transforming', cases: 0, counts: null }).map(({ place }) => place)).toEqual(['done', 'current', 'ahead', 'ahead', 'ahead']);
  });
});
