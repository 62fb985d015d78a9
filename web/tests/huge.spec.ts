/**
 * A file of gigabytes through the page: memory stays flat, a closed tab costs only what was under way, and the run ends. It needs more
 * than twice the file's size on the disk, so it runs only when it is asked for: SLUICE_HUGE=<path of a CSV file with the columns id and note>.
 */

import { statSync } from 'node:fs';
import { basename } from 'node:path';

import { expect, type Page, test } from '@playwright/test';

import { call, ensurePipeline, eventually, type Page as Listing, type Run } from './api';
import { signIn } from './people';
import { heap } from './smooth';

const FILE = process.env['SLUICE_HUGE'] ?? '';

/** A trace keeps what is sent. */
test.use({ trace: 'off' });

const PIPELINE = `apiVersion: sluice/v1
kind: Pipeline
name: notes
contract: notes.odcs.yaml
intake: { partner: northwind, path: "notes/*.csv", format: { csv: { delimiter: "," } } }
publish: { table: notes }
archive: { tier: cool, retain: P1Y }
`;

const CONTRACT = `apiVersion: v3.1.0
kind: DataContract
id: urn:datacontract:northwind:notes
name: Notes
version: 1.0.0
status: active
schema:
  - name: notes
    physicalType: csv
    properties:
      - { name: id, logicalType: integer, physicalType: bigint, required: true }
      - { name: note, logicalType: string, physicalType: varchar(2000), required: true }
`;

const percent = async (page: Page): Promise<number> => Number(/(\d+) %/.exec((await page.getByRole('progressbar').first().getAttribute('aria-label')) ?? '')?.[1] ?? -1);

/** Follows the upload up to `until` percent; tells heap and speed. */
async function follow(page: Page, until: number): Promise<void> {
  let told = -10;
  const begun = Date.now();
  await expect
    .poll(
      async () => {
        const now = await percent(page);
        if (now >= told + 10) {
          told = now;
          const facts = await page.locator('.upload-facts').first().innerText();
          console.log(`${Math.round((Date.now() - begun) / 1000)} s: ${now} %, ${await heap(page)} MB of live objects; ${facts.replaceAll('\n', ' ')}`);
        }
        return now;
      },
      { timeout: 1_800_000, intervals: [1000] },
    )
    .toBeGreaterThanOrEqual(until);
}

test('a file of gigabytes goes through the page, over a closed tab', async ({ page, context }) => {
  test.skip(FILE === '', 'set SLUICE_HUGE to the path of a file');
  test.setTimeout(3_600_000);
  await ensurePipeline('notes', { pipeline: PIPELINE, contract: CONTRACT });
  const name = basename(FILE);
  await signIn(page, 'northwind', '/uploads');
  await page.locator('input[type=file]').first().setInputFiles(FILE);
  const card = page.getByRole('listitem', { name });
  // The page suggests a path first.
  await expect(card.getByLabel('Path in the landing zone')).not.toHaveValue(name);
  await card.getByLabel('Path in the landing zone').fill(`notes/${name}`);
  await card.getByLabel('Path in the landing zone').blur();
  await expect(card.getByRole('region', { name: 'Trial before sending' })).toContainText('would be accepted', { timeout: 60_000 });
  await expect(card).toContainText('Only the first 4.2 MB');
  await card.getByRole('button', { name: /^Send/ }).click();
  await follow(page, 40);
  await page.close({ runBeforeUnload: false });

  const again = await context.newPage();
  await signIn(again, 'northwind', '/uploads');
  const resumed = again.getByRole('listitem', { name });
  await expect(resumed).toContainText('Interrupted at');
  let sent = 0;
  again.on('request', (request) => {
    if (request.method() === 'PUT' && request.url().includes('comp=block&')) sent += 1;
  });
  await resumed.locator('input[type=file]').setInputFiles(FILE);
  await follow(again, 99);
  await expect(resumed).toContainText('SHA-256 declared', { timeout: 600_000 });
  console.log(`${sent} blocks were sent after the tab was closed`);
  const { size } = statSync(FILE);
  expect(sent).toBeLessThan((size / 8 / 1024 / 1024) * 0.75);
  const run = await eventually(
    'the run has ended',
    async () => {
      const { items } = await call<Listing<Run & { size: number }>>('northwind', 'GET', `/submissions?path=notes/${name}`);
      const [found] = items;
      return found && ['completed', 'failed', 'rejected'].includes(found.state) && found;
    },
    1_800_000,
  );
  expect(run).toMatchObject({ state: 'completed', size });
  console.log(JSON.stringify(run.counts));
});
