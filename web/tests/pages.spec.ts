/** What must hold on every page: axe finds nothing in either theme, and nothing scrolls sideways on a phone or at 200 % zoom. */

import { expect, test } from '@playwright/test';

import { accessible, fits, theme, watch } from './checks';
import { open, PAGES, settled } from './pages';
import { seed, type Seed } from './seed';

let data: Seed;
test.beforeAll(async () => {
  data = await seed();
});

for (const one of PAGES) {
  test(`${one.name} is accessible in both themes and fits a phone`, async ({ page }) => {
    const calm = watch(page);
    await page.emulateMedia({ colorScheme: 'light' });
    await open(page, one, data);
    await accessible(page);
    await theme(page, 'dark');
    await accessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await settled(page, one, data);
    await fits(page);
    await accessible(page);
    // 200 % of a window of 1280 by 800.
    await page.setViewportSize({ width: 640, height: 400 });
    await fits(page);
    calm();
  });
}

test('the sign-in page is accessible and fits a phone', async ({ page }) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.goto('/');
    await theme(page, colorScheme);
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await accessible(page);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await fits(page);
});
