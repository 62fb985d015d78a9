/** Pictures of every page for the documentation: `npm run screenshots` writes docs/web/<page>-<theme>.png. */

import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

import { expect, test } from '@playwright/test';

import { open, PAGES } from './pages';
import { seed, type Seed } from './seed';

const FOLDER = resolve(import.meta.dirname, '../../docs/web');

let data: Seed;
test.beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  data = await seed();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('sign-in', async ({ page }) => {
      await page.goto('/');
      await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
      await page.screenshot({ path: `${FOLDER}/sign-in-${colorScheme}.png` });
    });

    for (const one of PAGES) {
      test(one.name, async ({ page }) => {
        await open(page, one, data);
        await page.screenshot({ path: `${FOLDER}/${one.name}-${colorScheme}.png` });
      });
    }
  });
}
