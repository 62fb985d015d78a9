/** A thousand held rows in twenty causes, without a mouse: every row ends as it was decided. */

import { expect, type Page, test } from '@playwright/test';

import { call, casesOf, eventually, type Run, submit, token } from './api';
import { CAUSES, preparePipeline, readings } from './causes';
import { watch } from './checks';
import { connection } from './connection';
import { unique } from './data';
import { signIn } from './people';

const ROWS_EACH = 50;

/** A keyboard that counts. */
class Keyboard {
  presses = 0;
  constructor(private readonly page: Page) {}
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
    this.presses += keys.length;
  }
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
    this.presses += text.length;
  }
}

const tally = (page: Page) => page.getByRole('group', { name: 'Decision' }).getByRole('status');
const dialog = (page: Page) => page.getByRole('dialog');

/** Row numbers that the partner gets back, with the reasons. */
async function rejectedRows(run: Run): Promise<Map<number, string>> {
  const response = await fetch(`${connection().api}/submissions/${run.runId}/rejected`, { headers: { Authorization: `Bearer ${await token('northwind')}` } });
  const lines = (await response.text()).trim().split('\n').slice(1);
  return new Map(lines.map((line) => [Number(line.split(',')[3]), line]));
}

test('a thousand rows of twenty causes are decided without a mouse, each as it was meant', async ({ page }) => {
  test.setTimeout(300_000);
  const calm = watch(page);
  await preparePipeline();
  const kinds = Array.from({ length: CAUSES * ROWS_EACH }, (_, row) => row % CAUSES);
  const run = await submit('northwind', `meters/${unique('twenty')}.csv`, readings(kinds), ['reviewing']);
  const cases = await casesOf(run, CAUSES);
  /** In the order of the queue. */
  const kindOf = cases.map(({ cause }) => Number(cause.slice('doubt-'.length)));
  const rowsOf = (at: number) => kinds.flatMap((kind, row) => (kind === kindOf[at] ? [row] : []));

  await signIn(page, 'rita', `/reviews?run=${run.runId}`);
  await expect(page.getByRole('status').filter({ hasText: '20 cases, 1,000 rows' })).toBeVisible();
  const keyboard = new Keyboard(page);

  // Ten cases are approved, five rejected, as a whole.
  for (let at = 0; at < 10; at += 1) await keyboard.press('j', 'x');
  await keyboard.press('a');
  await expect(dialog(page)).toContainText('All 500 rows');
  await keyboard.press('Enter');
  await expect(dialog(page)).toHaveCount(0, { timeout: 60_000 });
  await expect(page.getByRole('status').filter({ hasText: '10 cases, 500 rows' })).toBeVisible();
  for (let at = 0; at < 5; at += 1) await keyboard.press('j', 'x');
  await keyboard.press('r');
  await expect(dialog(page)).toContainText('All 250 rows');
  await keyboard.press('Enter');
  await expect(dialog(page)).toHaveCount(0, { timeout: 60_000 });
  await expect(page.getByRole('status').filter({ hasText: '5 cases, 250 rows' })).toBeVisible();

  // The sixteenth: its first row is rejected, the rest approved.
  await keyboard.press('j', 'Enter');
  await expect(tally(page)).toContainText('Keys act on line');
  await expect(page.getByRole('status').filter({ hasText: /^50 rows/ })).toBeVisible();
  await keyboard.press('r', 'A');
  await expect(tally(page)).toContainText('1 rejected');
  await keyboard.press('s');
  await expect(dialog(page)).toBeVisible();
  await keyboard.press('Enter');
  await expect(dialog(page)).toHaveCount(0);

  // The seventeenth: a column of all rows gets a new value.
  await expect(tally(page)).toContainText('50 undecided');
  await expect(page.getByRole('status').filter({ hasText: /^50 rows/ })).toBeVisible();
  await keyboard.press('Shift+C');
  await expect(dialog(page)).toContainText('Correct a column of 50 rows');
  await keyboard.press('Shift+Tab', 'Shift+Tab');
  await keyboard.type('kind');
  await keyboard.press('Tab', 'Tab');
  await keyboard.type('99');
  await keyboard.press('Enter');
  await expect(tally(page)).toContainText('50 corrected');
  await keyboard.press('s');
  await expect(dialog(page)).toContainText('50 rows');
  await keyboard.press('Enter');
  await expect(dialog(page)).toHaveCount(0);

  // The eighteenth: its second group, readings such as m-57, goes back to the partner; the rest is approved.
  const returned = rowsOf(17).filter((row) => row % 3 === 1 && row % 100 >= 10);
  await expect(tally(page)).toContainText('50 undecided');
  await expect(page.getByRole('status').filter({ hasText: /^50 rows/ })).toBeVisible();
  await keyboard.press(']', ']', 'X', 'b');
  await expect(tally(page)).toContainText(`${returned.length} sent back`);
  await keyboard.press('A', 's');
  await keyboard.type('Without the prefix, please.');
  await keyboard.press('Control+Enter');
  await expect(dialog(page)).toHaveCount(0);

  // The last two as the queue has them: one rejected, one approved.
  for (const key of ['R', 'A']) {
    await expect(tally(page)).toContainText('50 undecided');
    await keyboard.press(key, 's');
    await expect(dialog(page)).toBeVisible();
    await keyboard.press('Enter');
    await expect(dialog(page)).toHaveCount(0);
  }

  const done = await eventually(
    'the run is completed',
    async () => {
      const now = await call<Run>('olga', 'GET', `/runs/${run.runId}`);
      return now.state === 'completed' && now;
    },
    60_000,
  );
  const rejected = [...[10, 11, 12, 13, 14, 18].flatMap(rowsOf), rowsOf(15)[0]!];
  expect(done.counts).toMatchObject({ rows: 1000, published: 0, rejected: rejected.length + returned.length, returned: returned.length });
  expect(done.counts!.corrected).toBe(1000 - rejected.length - returned.length);
  const back = await rejectedRows(run);
  expect([...back.keys()].sort((a, b) => a - b)).toEqual([...rejected, ...returned].sort((a, b) => a - b));
  for (const row of returned) expect(back.get(row)).toContain('Without the prefix, please.');
  for (const row of rejected) expect(back.get(row)).not.toContain('sent back');
  // A corrected row has its new value in the table.
  const fixed = await call<{ outcome: string }>('rita', 'GET', `/rows/${run.runId}/${rowsOf(16)[0]}`);
  expect(fixed.outcome).toBe('corrected');
  console.log(`${keyboard.presses} key presses for 1,000 rows in ${CAUSES} causes`);
  expect(keyboard.presses).toBeLessThan(150);
  calm();
});
