/** What reviewers do beside deciding: correct, talk, hand over, take back. */

import { expect, type Page, test } from '@playwright/test';

import { call, type Case, casesOf, eventually, type Run, submit } from './api';
import { principal } from './connection';
import { flights, unique } from './data';
import { another, signIn } from './people';

async function held(): Promise<{ run: Run; late: Case; fast: Case }> {
  const run = await submit('skyline', `flights/${unique('case')}.csv`, flights({ good: 1, late: 2, fast: 1 }), ['reviewing']);
  const items = await casesOf(run, 2);
  return { run, late: items.find((one) => one.cause === 'long-delay')!, fast: items.find((one) => one.cause === 'too-fast')! };
}

const tally = (page: Page) => page.getByRole('group', { name: 'Decision' }).getByRole('status');

test('a correction is checked while it is typed, and published', async ({ page }) => {
  const { run, late, fast } = await held();
  await signIn(page, 'rita', `/reviews/${fast.caseId}`);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('c');
  const form = page.getByRole('form', { name: 'Correct 1 row' });
  const field = form.getByLabel('air_time', { exact: true });
  await field.fill('soon');
  await expect(form).toContainText('is not an integer of 32 bits');
  await field.fill('227');
  await expect(form).toContainText('The row fits');
  await field.press('Enter');
  await expect(tally(page)).toContainText('1 corrected');
  await page.keyboard.press('s');
  await page.keyboard.press('Enter');
  await eventually('the correction is decided', async () => (await call<Case>('rita', 'GET', `/reviews/${fast.caseId}`)).status === 'decided');
  await call('rita', 'POST', `/reviews/${late.caseId}/decide`, { verdict: { verdict: 'approve' }, rows: {}, comment: '', digest: late.digest });
  const done = await eventually('the run is completed', async () => {
    const now = await call<Run>('olga', 'GET', `/runs/${run.runId}`);
    return now.state === 'completed' && now;
  });
  expect(done.counts).toMatchObject({ rows: 4, published: 1, corrected: 3, rejected: 0 });
});

test('a decision is taken back while the run waits', async ({ page }) => {
  const { late } = await held();
  const address = `/reviews/${late.caseId}`;
  await signIn(page, 'rita', address);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('R');
  await page.keyboard.press('s');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Enter');
  await eventually('the case is decided', async () => (await call<Case>('rita', 'GET', address)).status === 'decided');
  await page.goto(address);
  await page.getByRole('button', { name: 'Undo decision' }).click();
  // The verdicts are a draft again.
  await expect(tally(page)).toContainText('2 rejected');
  expect((await call<Case>('rita', 'GET', address)).decisions).toEqual([]);
});

test('a comment reaches the other reviewer, and is not lost before it is sent', async ({ page, browser }) => {
  const { late } = await held();
  const address = `/reviews/${late.caseId}`;
  await signIn(page, 'rita', address);
  const text = page.getByLabel('Comment', { exact: true });
  await text.fill('Is this the storm of that week?');
  await page.reload();
  await expect(text).toHaveValue('Is this the storm of that week?');
  const ravi = await another(browser, 'ravi', address);
  await expect(tally(ravi)).toContainText('Keys act on line');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  // The live feed brings it; Ravi does not load the page again.
  await expect(ravi.getByRole('main')).toContainText('Is this the storm of that week?', { timeout: 30_000 });
});

test('a case is handed over to another person', async ({ page, browser }) => {
  const { late } = await held();
  const address = `/reviews/${late.caseId}`;
  const { oid } = principal('ravi');
  await signIn(page, 'rita', address);
  await page.getByRole('button', { name: 'Assign' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Ravi Reviewer');
  await dialog.getByLabel('Object id').fill(oid);
  await dialog.locator('button[type=submit]').click();
  await expect(page.getByRole('main')).toContainText('Ravi Reviewer works on this case');
  const ravi = await another(browser, 'ravi', '/reviews?view=mine');
  await expect(ravi.locator(`a[href="${address}"]`)).toBeVisible();
});
