/** Many rows at once: one rule for a column, and rows that go back to their partner. */

import { expect, type Page, test } from '@playwright/test';

import { call, type Case, casesOf, eventually, type Run, submit } from './api';
import { accessible, fits, watch } from './checks';
import { flights, unique } from './data';
import { signIn } from './people';

async function heldFast(count: number): Promise<{ run: Run; fast: Case }> {
  const run = await submit('skyline', `flights/${unique('bulk')}.csv`, flights({ good: 2, fast: count }), ['reviewing']);
  const [fast] = await casesOf(run, 1);
  return { run, fast: fast! };
}

const tally = (page: Page) => page.getByRole('group', { name: 'Decision' }).getByRole('status');

const completed = (run: Run) =>
  eventually('the run is completed', async () => {
    const now = await call<Run>('olga', 'GET', `/runs/${run.runId}`);
    return now.state === 'completed' && now;
  });

test('a column of all rows of a group is corrected with the keyboard, and every row is checked first', async ({ page }) => {
  const calm = watch(page);
  test.slow();
  const { run, fast } = await heldFast(250);
  await signIn(page, 'rita', `/reviews/${fast.caseId}`);
  await expect(tally(page)).toContainText('250 undecided');
  await page.keyboard.press('Shift+C');
  const dialog = page.getByRole('dialog', { name: 'Correct a column of 250 rows' });
  await dialog.getByLabel('Column').selectOption('air_time');
  await dialog.getByLabel('New value').fill('soon');
  await expect(dialog.getByRole('status')).toContainText('250 rows still do not fit');
  await expect(dialog).toContainText('is not an integer of 32 bits');
  await accessible(page);
  await dialog.getByLabel('New value').fill('227');
  await dialog.getByLabel('New value').press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(tally(page)).toContainText('250 corrected');

  // It stands in the draft as any other verdict does.
  await page.reload();
  await expect(tally(page)).toContainText('250 corrected');
  await page.keyboard.press('s');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Enter');
  expect((await completed(run)).counts).toMatchObject({ rows: 252, published: 2, corrected: 250, rejected: 0 });
  calm();
});

test('rows that a rule does not make right are left undecided, and selected', async ({ page }) => {
  test.slow();
  const { fast } = await heldFast(45);
  await signIn(page, 'rita', `/reviews/${fast.caseId}`);
  await expect(tally(page)).toContainText('45 undecided');
  await page.keyboard.press('Shift+C');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Column').selectOption('air_time');
  await dialog.getByLabel('Find and replace text').check();
  await dialog.getByLabel('Find', { exact: true }).fill('7');
  await dialog.getByLabel('Replace with').fill('22');
  // Times are 60 to 99, then 60 to 64 again: 70 becomes 220 and 67 becomes 622, which fit; 77 becomes 2222, longer than a day.
  await expect(dialog.getByRole('status')).toContainText(/13 rows change, 32 stay as they are.*1 row still does not fit/);
  await page.setViewportSize({ width: 360, height: 740 });
  await fits(page);
  await accessible(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await dialog.getByRole('button', { name: 'Correct the 12 rows that fit' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(tally(page)).toContainText('Keys act on the 1 selected row');
  await expect(tally(page)).toContainText('33 undecided');
});

test('rows go back to the partner with the words of the reviewer, and come back repaired', async ({ page, browser }) => {
  const calm = watch(page);
  test.slow();
  const { run, fast } = await heldFast(3);
  const words = 'Air time is in hours here; send minutes.';
  await signIn(page, 'rita', `/reviews/${fast.caseId}`);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('b');
  await expect(tally(page)).toContainText('1 sent back');
  await page.keyboard.press('Shift+B');
  await expect(tally(page)).toContainText('3 sent back');
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('skyline reads these words');
  await accessible(page);
  // Without a word nothing is sent.
  await dialog.getByRole('button', { name: 'Send the decision' }).click();
  await expect(dialog).toContainText('Rows are sent back only with a word');
  await page.keyboard.type(words);
  await page.keyboard.press('Control+Enter');
  const { counts } = await completed(run);
  expect(counts).toMatchObject({ rows: 5, published: 2, rejected: 3, returned: 3 });

  await page.goto(`/reviews/${fast.caseId}`);
  await expect(page.getByRole('main')).toContainText('send back');
  calm();

  const context = await browser.newContext();
  const partner = await context.newPage();
  await signIn(partner, 'skyline', `/uploads/${run.submissionId}`);
  const section = partner.getByRole('region', { name: 'Sent back to you' });
  await expect(section).toContainText(words);
  await expect(section).toContainText('3 rows');
  await accessible(partner);
  await partner.setViewportSize({ width: 360, height: 740 });
  await fits(partner);
  await section.getByRole('link', { name: 'send them again' }).click();
  await expect(partner.getByRole('group', { name: 'Repaired rows' })).toBeInViewport();
});

test('several cases are sent back at once, only with a word', async ({ page }) => {
  const run = await submit('skyline', `flights/${unique('returned')}.csv`, flights({ good: 1, late: 2, fast: 2 }), ['reviewing']);
  await casesOf(run, 2);
  await signIn(page, 'rita', `/reviews?run=${run.runId}`);
  await expect(page.getByRole('table')).toContainText('long-delay');
  for (const key of ['j', 'x', 'j', 'x', 'b']) await page.keyboard.press(key);
  const dialog = page.getByRole('dialog', { name: 'Send back 2 cases' });
  await accessible(page);
  await dialog.getByRole('button', { name: /Send back 4 rows/ }).click();
  await expect(dialog).toContainText('Rows are sent back only with a word');
  await page.keyboard.type('Both columns are wrong.');
  await page.keyboard.press('Control+Enter');
  await expect(dialog).toHaveCount(0);
  expect((await completed(run)).counts).toMatchObject({ rows: 5, published: 1, rejected: 4, returned: 4 });
});
