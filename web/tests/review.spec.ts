/** Reviewers at work: by keyboard alone, two at once, over a lost connection and a reload. */

import { expect, type Page, test } from '@playwright/test';

import { call, type Case, casesOf, eventually, type Run, submit } from './api';
import { watch } from './checks';
import { flights, orders, unique } from './data';
import { another, signIn } from './people';

async function flightCases(held: { late?: number; fast?: number }): Promise<{ run: Run; cases: readonly Case[] }> {
  const run = await submit('skyline', `flights/${unique('held')}.csv`, flights({ good: 3, ...held }), ['reviewing']);
  return { run, cases: await casesOf(run, Object.keys(held).length) };
}

const settled = (run: Run) =>
  eventually('the run is completed', async () => {
    const now = await call<Run>('olga', 'GET', `/runs/${run.runId}`);
    return now.state === 'completed' && now;
  });

const tally = (page: Page) => page.getByRole('group', { name: 'Decision' }).getByRole('status');

/** Sends the draft: `s` shows exactly what happens, Enter presses the button that has the focus. */
async function send(page: Page): Promise<void> {
  await page.keyboard.press('s');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Enter');
}

test('a thousand held rows are decided by keyboard alone', async ({ page }) => {
  test.slow();
  const calm = watch(page);
  const { run } = await flightCases({ late: 960, fast: 40 });
  await signIn(page, 'rita', `/reviews?run=${run.runId}`);
  await expect(page.getByRole('table')).toContainText('long-delay');

  // From the queue into the first case, whichever it is; the other one follows with `n`.
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  for (let decided = 0; decided < 2; decided += 1) {
    await expect(tally(page)).toContainText('0 approved');
    await expect(tally(page)).toContainText('Keys act on line');
    await page.keyboard.press('r');
    await expect(tally(page)).toContainText('1 rejected');
    await page.keyboard.press('A');
    await expect(tally(page)).toContainText('0 undecided');
    const address = page.url();
    await send(page);
    await expect(page.getByRole('dialog')).toHaveCount(0);
    if (decided === 0 && page.url() === address) await page.keyboard.press('n');
    if (decided === 0) await expect(page).not.toHaveURL(address);
  }
  const { counts } = await settled(run);
  expect(counts).toMatchObject({ rows: 1003, published: 3, corrected: 998, rejected: 2 });
  calm();
});

test('the keys of a page are listed with ?', async ({ page }) => {
  const { cases } = await flightCases({ late: 2 });
  await signIn(page, 'rita', `/reviews/${cases[0]!.caseId}`);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toContainText('Approve the rest');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a decision that four eyes must agree on waits for another person', async ({ page, browser }) => {
  const run = await submit('northwind', `orders/${unique('large')}.ndjson`, orders({ large: 3 }), ['reviewing']);
  const [one] = await casesOf(run, 1);
  const address = `/reviews/${one!.caseId}`;
  await signIn(page, 'rita', address);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('A');
  await send(page);
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await eventually('the first of two has decided', async () => {
    return (await call<Case>('rita', 'GET', address)).status === 'confirming';
  });

  // The first person cannot be the second one, too.
  await page.goto(address);
  await expect(page.getByRole('main')).toContainText('You decided first');
  await expect(page.getByRole('button', { name: 'Decide the same' })).toHaveCount(0);

  const ravi = await another(browser, 'ravi', address);
  await expect(ravi.getByRole('main')).toContainText('Rita Reviewer decided first');
  await ravi.keyboard.press('y');
  await expect(ravi.getByRole('dialog')).toBeVisible();
  await ravi.keyboard.press('Enter');
  const { counts } = await settled(run);
  expect(counts).toMatchObject({ rows: 6, corrected: 3 });
});

test('the second of two reviewers is told who was faster, and overwrites nothing', async ({ page, browser }) => {
  const { run, cases } = await flightCases({ late: 3, fast: 1 });
  const late = cases.find((one) => one.cause === 'long-delay')!;
  const address = `/reviews/${late.caseId}`;
  await signIn(page, 'rita', address);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('A');
  await page.keyboard.press('s');
  await expect(page.getByRole('dialog')).toBeVisible();

  const ravi = await another(browser, 'ravi', address);
  await expect(tally(ravi)).toContainText('Keys act on line');
  await ravi.keyboard.press('R');
  await send(ravi);
  await eventually('Ravi has decided', async () => (await call<Case>('ravi', 'GET', address)).decisions.length === 1);

  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert').filter({ hasText: 'Ravi Reviewer' })).toBeVisible();
  const { decisions } = await call<Case>('rita', 'GET', address);
  expect(decisions.map(({ by }) => by.name)).toEqual(['Ravi Reviewer']);
  expect((await call<Run>('olga', 'GET', `/runs/${run.runId}`)).state).toBe('reviewing');
});

test('a lost connection loses no work, and the same decision is sent again', async ({ page, context }) => {
  const { run, cases } = await flightCases({ late: 4 });
  await signIn(page, 'rita', `/reviews/${cases[0]!.caseId}`);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('r');
  await page.keyboard.press('A');
  await context.setOffline(true);
  await send(page);
  await expect(page.getByRole('alert').filter({ hasText: 'your draft is kept' })).toBeVisible({ timeout: 40_000 });
  await context.setOffline(false);
  await page.getByRole('dialog').getByRole('button', { name: 'Send' }).press('Enter');
  const { counts } = await settled(run);
  expect(counts).toMatchObject({ corrected: 3, rejected: 1 });
});

test('a reload in the middle keeps the draft', async ({ page }) => {
  const { cases } = await flightCases({ late: 5 });
  await signIn(page, 'rita', `/reviews/${cases[0]!.caseId}`);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('r');
  await page.keyboard.press('a');
  await expect(tally(page)).toContainText('1 rejected');
  await page.reload();
  await expect(page.getByRole('main')).toContainText('Your draft from before is here again');
  await expect(tally(page)).toContainText('1 approved');
  await expect(tally(page)).toContainText('1 rejected');
  await expect(tally(page)).toContainText('3 undecided');
});

test('a case that another person has taken can be looked at, not decided', async ({ page, browser }) => {
  const { cases } = await flightCases({ late: 2 });
  const address = `/reviews/${cases[0]!.caseId}`;
  await signIn(page, 'rita', address);
  await expect(tally(page)).toContainText('Keys act on line');
  await page.keyboard.press('t');
  await expect(page.getByRole('main')).toContainText('Taken byyou');
  const ravi = await another(browser, 'ravi', address);
  await expect(ravi.getByRole('main')).toContainText('Rita Reviewer works on this case');
  await expect(ravi.getByRole('group', { name: 'Decision' })).toHaveCount(0);
});

test('an auditor sees a case, but no values of its rows', async ({ page }) => {
  const { cases } = await flightCases({ late: 2 });
  await signIn(page, 'ada', `/reviews/${cases[0]!.caseId}`);
  await expect(page.getByRole('main')).toContainText('long-delay');
  await expect(page.getByRole('region', { name: 'Held rows' })).toHaveCount(0);
  await expect(page.getByRole('group', { name: 'Decision' })).toHaveCount(0);
});

test('the queue is searched by the server, however many cases there are', async ({ page }) => {
  const { run } = await flightCases({ late: 1, fast: 1 });
  const { cases: others } = await flightCases({ late: 1 });
  await signIn(page, 'rita', '/reviews');
  await expect(page.getByRole('status').filter({ hasText: /cases?, / })).toBeVisible();
  // Asked for before it is typed: the page asks as soon as the typing rests.
  const asked = page.waitForRequest((request) => new URL(request.url()).searchParams.get('text') === run.runId.toUpperCase());
  await page.keyboard.press('/');
  await page.keyboard.type(run.runId.toUpperCase());
  await asked;
  await expect(page.getByRole('status').filter({ hasText: '2 cases, 2 rows' })).toBeVisible();
  await expect(page.locator(`a[href="/reviews/${others[0]!.caseId}"]`)).toHaveCount(0);
  // All of them are younger than an hour.
  await page.getByLabel('Age').selectOption({ label: 'Over 1 hour old' });
  await expect(page.getByRole('main')).toContainText('No case matches the filters');
});
