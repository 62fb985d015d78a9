/**
 * A case of 100,000 held rows: opened, scrolled, grouped and decided, with what it costs the page. It takes minutes and its numbers are
 * of the machine, so it runs only when it is asked for: SLUICE_SCALE=1.
 */

import { expect, type Page, test } from '@playwright/test';

import { call, casesOf, eventually, type Run, submit } from './api';
import { preparePipeline, readings } from './causes';
import { unique } from './data';
import { signIn } from './people';
import { heap, type Smoothness, smoothness, watchSmoothness } from './smooth';

/** A trace costs more than the page. */
test.use({ trace: 'off' });

const ROWS = Number(process.env['SLUICE_SCALE_ROWS'] ?? 100_000);

const tally = (page: Page) => page.getByRole('group', { name: 'Decision' }).getByRole('status');
const rowsBar = (page: Page) => page.locator('.rows-bar [role=status]');
const thousands = ROWS.toLocaleString('en');

function tell(what: string, { seconds, cpu, longTasks, frames, dropped, worstFrame }: Smoothness): void {
  const total = longTasks.reduce((sum, task) => sum + task, 0);
  const tasks = `${longTasks.length} long tasks, ${total} ms together, the longest ${Math.max(0, ...longTasks)} ms`;
  console.log(`${what}: ${seconds} s, ${cpu} ms of CPU; ${tasks}; ${dropped} of ${frames + dropped} frames dropped, the worst ${worstFrame} ms`);
}

test('a case of 100,000 rows opens, scrolls and is decided', async ({ page }) => {
  test.skip(!process.env['SLUICE_SCALE'], 'set SLUICE_SCALE=1');
  test.setTimeout(1_500_000);
  await preparePipeline();
  const run = await submit('northwind', `meters/${unique('scale')}.csv`, readings(Array.from({ length: ROWS }, () => 1)), ['reviewing'], 300_000);
  const [one] = await casesOf(run, 1);
  await watchSmoothness(page);
  await signIn(page, 'rita', '/reviews');

  await page.goto(`/reviews/${one!.caseId}`);
  tell('first rows', await smoothness(page, () => expect(rowsBar(page)).toContainText('rows', { timeout: 60_000 })));
  tell('first 20,000 read', await smoothness(page, () => expect(rowsBar(page)).toContainText(/20,\d+ of|^100,000/, { timeout: 300_000 })));
  await expect(rowsBar(page)).toContainText(`of ${thousands} read; groups have only these`);
  await page.keyboard.press('*');
  tell(
    'all read, while scrolling by wheel',
    await smoothness(page, async () => {
      await page.mouse.move(640, 400);
      for (let at = 0; at < 60; at += 1) {
        await page.mouse.wheel(0, 500);
        await page.waitForTimeout(50);
      }
      await expect(rowsBar(page)).toHaveText(`${thousands} rows`, { timeout: 600_000 });
    }),
  );
  console.log(`live objects: ${await heap(page)} MB`);
  const counts = await page.getByRole('navigation', { name: 'Groups of rows' }).getByRole('button').locator('.number').allTextContents();
  const [all, ...groups] = counts.map((text) => Number(text.replaceAll(',', '')));
  expect(all).toBe(ROWS);
  expect(groups.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS);

  tell(
    'wheel, all rows there',
    await smoothness(page, async () => {
      for (let at = 0; at < 120; at += 1) {
        await page.mouse.wheel(0, at % 40 === 39 ? 200_000 : 700);
        await page.waitForTimeout(16);
      }
    }),
  );
  tell(
    'keyboard, 200 times j',
    await smoothness(page, async () => {
      for (let at = 0; at < 200; at += 1) await page.keyboard.press('j');
    }),
  );
  await page.getByRole('region', { name: 'Held rows' }).focus();
  tell(
    'End, Home, Page Down',
    await smoothness(page, async () => {
      for (const key of ['End', 'Home', ...Array<string>(20).fill('PageDown')]) {
        await page.keyboard.press(key);
        await page.waitForTimeout(50);
      }
    }),
  );

  tell(
    'the largest group selected and rejected',
    await smoothness(page, async () => {
      for (const key of [']', 'X', 'r']) await page.keyboard.press(key);
      await expect(tally(page)).not.toContainText('0 rejected');
    }),
  );
  tell(
    'one verdict after it',
    await smoothness(page, async () => {
      await page.keyboard.press('a');
      await expect(tally(page)).toContainText('1 approved');
    }),
  );
  await page.keyboard.press('u');
  await page.keyboard.press('u');
  await page.keyboard.press('[');
  tell(
    'the case decided',
    await smoothness(page, async () => {
      await page.keyboard.press('r');
      await page.keyboard.press('A');
      await page.keyboard.press('s');
      await expect(page.getByRole('dialog')).toBeVisible();
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog')).toHaveCount(0, { timeout: 60_000 });
    }),
  );
  const done = await eventually(
    'the run is completed',
    async () => {
      const now = await call<Run>('olga', 'GET', `/runs/${run.runId}`);
      return now.state === 'completed' && now;
    },
    300_000,
  );
  expect(done.counts).toMatchObject({ rows: ROWS, corrected: ROWS - 1, rejected: 1 });
});
