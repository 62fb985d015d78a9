/** A pipeline changes only when two people agree; a draft is tried on a past file first. */

import { expect, type Page, test } from '@playwright/test';

import { call, submit } from './api';
import { accessible, fits, watch } from './checks';
import { unique } from './data';
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

test('a new pipeline begins as a draft, goes live by another person, and takes files', async ({ page, browser }) => {
  test.slow();
  const calm = watch(page);
  const name = unique('rates').toLowerCase();
  await signIn(page, 'emil', '/pipelines');
  await page.getByRole('button', { name: 'New pipeline' }).click();
  const dialog = page.getByRole('dialog', { name: 'New pipeline' });
  await dialog.getByLabel('Name').fill('Not a name');
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText('small letters, digits and hyphens');
  await accessible(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await fits(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialog.getByLabel('Name').fill(name);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toContainText('There is no pipeline of this name yet');
  await accessible(page);
  const text = await editor(page).inputValue();
  await editor(page).fill(text.replace('partner: partner-id', 'partner: northwind'));
  await page.getByRole('button', { name: 'Store draft' }).click();
  await expect(page.getByRole('main')).toContainText('Draft by you');
  await expect(page.getByRole('main')).toContainText('not live');

  const olga = await another(browser, 'olga', `/pipelines/${name}/draft`);
  await olga.getByRole('button', { name: 'Approve' }).click();
  await olga.getByRole('dialog').getByRole('button', { name: 'Approve and make live' }).click();
  await expect(olga.getByRole('main')).toContainText('v1 live');
  // Both are named, not only numbered.
  await expect(olga.getByRole('main')).toContainText('by Emil Engineer');
  const run = await submit('northwind', `${name}/first.csv`, 'id,amount\n1,2.50\n2,3.75\n', ['completed']);
  expect(run.counts).toMatchObject({ rows: 2, published: 2 });
  calm();
});

test('a pipeline that is not there is told as such to who cannot begin one', async ({ page }) => {
  await signIn(page, 'ada', '/pipelines/nowhere');
  await expect(page.getByRole('main')).toContainText('There is no pipeline of this name');
  await expect(page.getByRole('button', { name: 'Store draft' })).toHaveCount(0);
});
