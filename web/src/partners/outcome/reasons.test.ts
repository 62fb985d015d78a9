import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { reason } from './reasons';

it('every code of rows in docs/ERRORS.md has words of its own', () => {
  const documented = [...readFileSync('../docs/ERRORS.md', 'utf8').matchAll(/^\| `(R\d{4})` \|/gm)].map((match) => match[1]!);
  expect(documented.length).toBeGreaterThan(30);
  expect(documented.filter((code) => reason(code).title === code)).toEqual([]);
});

it('a code that this page does not know is shown as it is', () => {
  expect(reason('R9999').title).toBe('R9999');
});
