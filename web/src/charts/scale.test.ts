import { describe, expect, it } from 'vitest';

import { percent, roundUp } from './scale';

describe('roundUp', () => {
  it('gives an axis a round end', () => {
    expect([0, 0.3, 1, 7, 12, 43, 501].map(roundUp)).toEqual([1, 0.5, 1, 10, 20, 50, 1000]);
  });
});

describe('percent', () => {
  it('never hides a small share, nor what is missing to the whole', () => {
    expect([0, 0.000001, 0.00123, 0.0456, 0.256, 0.997, 0.99999, 1].map(percent)).toEqual([
      '0 %', '< 0.01 %', '0.12 %', '4.6 %', '26 %', '99.7 %', '> 99.9 %', '100 %',
    ]);
  });
});
