/** A pipeline changes only when two people agree; a draft is tried on a past file first. */

import { expect, type Page, test } from '@playwright/test';

import { call } from './api';
import { another, signIn } from './people';
import { seed } from './seed';

interface Texts {
  readonly version: number;
  readonly pipeline: string;
}

const editor = (page: Page) => page.getByLabel('YAML of the pipeline');

test.describe.configure({ mode: 'serial' });

test.afterAll(async () => {
  // Another test begins without this draft.
  await call('emil', 'DELETE', '/pipelines/orders/draft').catch(() => undefined);
});

test('a mistake in a draft is told with its line, and nothing is stored', async ({ page }) => {
  await signIn(page, 'emil', '/pipelines/orders/draft');
  const text = await editor(page).inputValue();
  await editor(page).fill(text.replace('outcome: review', 'outcome: rview'));
  await page.getByRole('button', { name: 'Store draft' }).click();
  await expect(page.getByRole('main')).toContainText('P0004');
  await expect(page.getByRole('main')).toContainText('There is no draft');
});

test('a draft goes live only when another person approves it', async ({ page, browser }) => {
  await seed();
  const before = await call<Texts>('emil', 'GET', '/pipelines/orders');
  await signIn(page, 'emil', '/pipelines/orders/draft');
  await editor(page).fill(before.pipeline.replace('with large ones looked at by a person', 'the large ones are read by a person'));
  await page.getByRole('button', { name: 'Store draft' }).click();
  await expect(page.getByRole('main')).toContainText('Draft by you');
  await expect(page.getByRole('button', { name: 'Approve' })).toHaveCount(0);
  expect((await call<Texts>('emil', 'GET', '/pipelines/orders')).version).toBe(before.version);

  const olga = await another(browser, 'olga', '/pipelines/orders/draft');
  await expect(olga.getByRole('main')).toContainText('the large ones are read by a person');
  await olga.getByRole('button', { name: 'Approve' }).click();
  await olga.getByRole('dialog').getByRole('button', { name: 'Approve and make live' }).click();
  await expect(olga.getByRole('main')).toContainText(`v${before.version + 1}`);
  const live = await call<Texts>('emil', 'GET', '/pipelines/orders');
  expect(live.version).toBe(before.version + 1);
  expect(live.pipeline).toContain('the large ones are read by a person');
});
