/** A partner at a browser: from a file on the disk to the table, and back for what was rejected. */

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

import { expect, type Page, test } from '@playwright/test';

import { call, eventually, type Page as Listing, type Run, submit } from './api';
import { accessible, fits, watch } from './checks';
import { flights, unique } from './data';
import { another, signIn } from './people';

/** Gives a file to the upload page as the dialog of a browser without handles does. */
async function choose(page: Page, name: string, content: string | Buffer): Promise<void> {
  await page.locator('input[type=file]').first().setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(content) });
}

/** Drops a file on the page. */
async function drop(page: Page, name: string, content: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    (file) => {
      const made = new DataTransfer();
      made.items.add(new File([file.content], file.name, { type: 'text/csv' }));
      return made;
    },
    { name, content },
  );
  await page.getByRole('group', { name: 'Send files' }).dispatchEvent('drop', { dataTransfer: transfer });
}

const card = (page: Page, name: string) => page.getByRole('listitem', { name });

test('a file goes from the disk to the table', async ({ page }) => {
  const calm = watch(page);
  await signIn(page, 'skyline', '/uploads');
  const name = `${unique('may')}.csv`;
  await drop(page, name, flights({ good: 20 }));
  const sending = card(page, name);
  const path = sending.getByLabel('Path in the landing zone');
  const choice = sending.getByRole('button', { name: `Use flights/${name}` });
  // The path of the only pipeline that takes such a name stands there; of several the person chooses one.
  await expect(async () => expect((await path.inputValue()) === `flights/${name}` || (await choice.isVisible())).toBe(true)).toPass();
  if (await choice.isVisible()) await choice.click();
  await expect(path).toHaveValue(`flights/${name}`);
  await expect(sending).toContainText('The pipeline flights takes files at this path');
  await sending.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(sending).toContainText('SHA-256 declared');
  await sending.getByRole('link', { name: 'See what becomes of it' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`flights/${name}`);
  await expect(page.getByRole('main')).toContainText('The file is published, and nothing was rejected');
  await expect(page.getByRole('main')).toContainText('equals what you declared');
  await accessible(page);
  calm();
});

test('rejected rows say why, and come back repaired', async ({ page }) => {
  const calm = watch(page);
  const name = unique('june');
  const run = await submit('skyline', `flights/${name}.csv`, flights({ good: 8, bad: 2 }), ['completed']);
  await signIn(page, 'skyline', `/uploads/${run.submissionId}`);
  const main = page.getByRole('main');
  await expect(main).toContainText('Published in part');
  await page.getByText('Not a whole number').first().click();
  await expect(main).toContainText('is not an integer of 32 bits');
  await accessible(page);

  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Rejected rows' }).click();
  const rejected = readFileSync(await (await saving).path(), 'utf8');
  expect(rejected.trim().split('\n')).toHaveLength(3);

  await choose(page, `${name}-repaired.csv`, rejected.replaceAll(',late,', ',3,'));
  const sending = card(page, `${name}-repaired.csv`);
  await expect(sending.getByLabel('Path in the landing zone')).toHaveValue(`flights/${name}-fixes-1.csv`);
  await sending.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(sending).toContainText('SHA-256 declared');
  await sending.getByRole('link', { name: 'See what becomes of it' }).click();
  await expect(main).toContainText('The file is published, and nothing was rejected');

  // The two files know each other.
  await main.getByRole('link', { name: 'an earlier upload' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`flights/${name}.csv`);
  await expect(main).toContainText('Repaired by upload 1');
  calm();
});

test('a path that nothing takes is told before a byte is sent', async ({ page }) => {
  await signIn(page, 'skyline', '/uploads');
  const name = `${unique('july')}.txt`;
  await choose(page, name, flights({}));
  const sending = card(page, name);
  await expect(sending).toContainText('No pipeline takes files at this path');
  await expect(sending).toContainText('flights/*.csv');
  await expect(sending).toContainText('year,month,day');
  await accessible(page);
  await expect(sending.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
});

test('a file is never overwritten', async ({ page }) => {
  const name = `${unique('august')}.csv`;
  await submit('skyline', `flights/${name}`, flights({}), ['completed']);
  await signIn(page, 'skyline', '/uploads');
  await choose(page, name, flights({ good: 6 }));
  await expect(card(page, name)).toContainText('Files are never overwritten');
  await expect(card(page, name).getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
});

/** Five blocks of 8 MiB, of which the last is short. */
function large(): Buffer {
  const text = Buffer.alloc(36 * 1024 * 1024, flights({ good: 5 }));
  randomBytes(1024).copy(text, text.length - 1024);
  return text;
}

test('an upload goes on after the tab was closed, and sends only what is missing', async ({ page, context }) => {
  test.slow();
  await signIn(page, 'skyline', '/uploads');
  const name = `${unique('big')}.csv`;
  const path = test.info().outputPath(name);
  const content = large();
  writeFileSync(path, content);

  // Blocks beyond the second do not arrive.
  let begun = 0;
  let arrived = 0;
  await context.route(/comp=block&/, async (route) => {
    begun += 1;
    if (begun > 2) return; // never answered
    const response = await route.fetch();
    arrived += 1;
    await route.fulfill({ response });
  });
  await page.locator('input[type=file]').first().setInputFiles(path);
  await card(page, name).getByRole('button', { name: 'Send', exact: true }).click();
  await expect.poll(() => arrived).toBe(2);
  await expect.poll(() => page.evaluate(stagedBlocks)).toBe(2);
  await page.close({ runBeforeUnload: false });
  await context.unroute(/comp=block&/);

  const again = await context.newPage();
  await signIn(again, 'skyline', '/uploads');
  await expect(card(again, name)).toContainText('Interrupted at');
  const sent: string[] = [];
  again.on('request', (request) => {
    if (request.method() === 'PUT' && request.url().includes('comp=block&')) sent.push(request.url());
  });
  await card(again, name).locator('input[type=file]').setInputFiles(path);
  await expect(card(again, name)).toContainText('SHA-256 declared', { timeout: 60_000 });
  expect(new Set(sent.map((url) => new URL(url).searchParams.get('blockid'))).size).toBe(3);
  const run = await eventually('the run knows the whole file', async () => {
    const { items } = await call<Listing<Run & { size: number }>>('skyline', 'GET', `/submissions?path=flights/${name}`);
    return items[0];
  });
  expect(run.size).toBe(content.length);
});

/** Blocks that the browser has noted as staged. */
function stagedBlocks(): Promise<number> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('sluice-uploads');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const counting = opening.result.transaction('blocks').objectStore('blocks').count();
      counting.onsuccess = () => resolve(counting.result);
      counting.onerror = () => reject(counting.error);
    };
  });
}

test('another file does not go on where the first one stopped', async ({ page, context }) => {
  await signIn(page, 'skyline', '/uploads');
  const name = `${unique('other')}.csv`;
  await context.route(/comp=block&/, () => undefined);
  await choose(page, name, flights({ good: 3 }));
  await card(page, name).getByRole('button', { name: 'Send', exact: true }).click();
  await expect(card(page, name).getByRole('button', { name: 'Pause' })).toBeVisible();
  page.once('dialog', (dialog) => void dialog.accept());
  await page.reload();
  await card(page, name).locator('input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(flights({ good: 4 })) });
  await expect(card(page, name).getByRole('alert')).toContainText('That is another file');
  await card(page, name).getByRole('button', { name: 'Discard' }).click();
  await expect(card(page, name)).toHaveCount(0);
});

test('an upload waits for a lost connection and goes on by itself', async ({ page, context }) => {
  await signIn(page, 'skyline', '/uploads');
  const name = `${unique('offline')}.csv`;
  await choose(page, name, flights({ good: 4 }));
  await expect(card(page, name)).toContainText('The pipeline flights takes');
  let cut = true;
  await context.route(/comp=block/, (route) => (cut ? route.abort('connectionreset') : route.continue()));
  await card(page, name).getByRole('button', { name: 'Send', exact: true }).click();
  await expect(card(page, name)).toContainText('No connection; it goes on by itself');
  cut = false;
  await expect(card(page, name)).toContainText('SHA-256 declared', { timeout: 30_000 });
});

test('a file is tried before it is sent, and the trial holds nothing up', async ({ page, context }) => {
  test.slow();
  const calm = watch(page);
  await signIn(page, 'skyline', '/uploads');
  const name = `${unique('trial')}.csv`;
  await choose(page, name, flights({ good: 20, bad: 2, late: 1 }));
  const trial = card(page, name).getByRole('region', { name: 'Trial before sending' });
  await expect(trial).toContainText('20 of 23 rows would be accepted, 2 rejected, 1 would wait for a person');
  await trial.getByText('Not a whole number').click();
  await expect(trial.getByRole('table')).toContainText('late');
  await expect(trial.getByRole('table')).toContainText('is not an integer of 32 bits');
  await accessible(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await fits(page);
  await accessible(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  const saving = page.waitForEvent('download');
  await trial.getByRole('button', { name: 'Rejected rows of the trial' }).click();
  expect(readFileSync(await (await saving).path(), 'utf8').trim().split('\n')).toHaveLength(3);
  await card(page, name).getByRole('button', { name: 'Send anyway' }).click();
  await expect(card(page, name)).toContainText('SHA-256 declared');

  // A wrong file is told as a whole.
  const wrong = `${unique('wrong')}.csv`;
  await choose(page, wrong, 'carrier,flight\nUA,1\n');
  await expect(card(page, wrong)).toContainText('The file would not be taken as it is');
  await expect(card(page, wrong)).toContainText('F0003');
  await card(page, wrong).getByRole('button', { name: /Remove/ }).click();

  // Without an answer the file can be sent all the same.
  await context.route(/submissions\/dry-run/, (route) => route.fulfill({ status: 500, body: 'no' }));
  const untried = `${unique('untried')}.csv`;
  await choose(page, untried, flights({ good: 2 }));
  await expect(card(page, untried)).toContainText('could not be tried before sending');
  await card(page, untried).getByRole('button', { name: 'Send', exact: true }).click();
  await expect(card(page, untried)).toContainText('SHA-256 declared');
  calm();
});

test('an operator sends a file on behalf of a partner, who sees what became of it', async ({ page, browser }) => {
  test.slow();
  await signIn(page, 'olga', '/uploads');
  const name = `${unique('behalf')}.csv`;
  await choose(page, name, flights({ good: 6 }));
  await expect(card(page, name).getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
  await card(page, name).getByLabel('Partner').fill('skyline');
  await card(page, name).getByLabel('Partner').blur();
  await expect(card(page, name)).toContainText('The pipeline flights takes files at this path');
  await expect(card(page, name)).toContainText('6 of 6 rows would be accepted');
  await card(page, name).getByRole('button', { name: 'Send', exact: true }).click();
  await expect(card(page, name)).toContainText('SHA-256 declared');
  const partner = await another(browser, 'skyline', '/uploads');
  await expect(partner.getByRole('link', { name: `flights/${name}` })).toBeVisible({ timeout: 30_000 });
});
