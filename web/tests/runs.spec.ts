/** An operator at work: what became of a file, and what can be done about it. */

import { readFileSync } from 'node:fs';

import { expect, test } from '@playwright/test';

import { call, casesOf, eventually, type Run, submit } from './api';
import { accessible, watch } from './checks';
import { connection } from './connection';
import { flights, unique } from './data';
import { signIn } from './people';
import { seed } from './seed';

test('a run is cancelled and worked through again, each after a question', async ({ page }) => {
  const calm = watch(page);
  const run = await submit('skyline', `flights/${unique('wrong')}.csv`, flights({ late: 2 }), ['reviewing']);
  await signIn(page, 'olga', `/runs/${run.runId}`);
  const main = page.getByRole('main');
  await page.getByRole('button', { name: 'Cancel run' }).click();
  const question = page.getByRole('dialog');
  await expect(question).toContainText('Nothing of');
  await question.getByRole('button', { name: 'Keep as it is' }).click();
  expect((await call<Run>('olga', 'GET', `/runs/${run.runId}`)).state).toBe('reviewing');

  await page.getByRole('button', { name: 'Cancel run' }).click();
  await question.getByRole('button', { name: 'Cancel the run' }).click();
  await expect(question).toHaveCount(0);
  await eventually('the run is cancelled', async () => (await call<Run>('olga', 'GET', `/runs/${run.runId}`)).state === 'cancelled');

  await page.reload();
  await main.getByRole('button', { name: 'Reprocess' }).click();
  await question.getByRole('button', { name: 'Reprocess' }).click();
  await expect(page).toHaveURL(`/runs/${run.submissionId}-2`);
  await eventually('the second attempt waits for people', async () => (await call<Run>('olga', 'GET', `/runs/${run.submissionId}-2`)).state === 'reviewing');
  calm();
});

test('a run shows its rows, its steps and its receipt', async ({ page }) => {
  const { completed } = await seed();
  await signIn(page, 'olga', `/runs/${completed.runId}`);
  const main = page.getByRole('main');
  await expect(main).toContainText('412');
  await expect(main).toContainText('R0101');
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Receipt' }).click();
  const receipt = JSON.parse(readFileSync(await (await saving).path(), 'utf8')) as { run: string; counts: unknown };
  expect(receipt).toMatchObject({ run: completed.runId, counts: completed.counts });
});

test('a reviewer sees a run, but not what only operators may do', async ({ page }) => {
  const { reviewing } = await seed();
  await signIn(page, 'rita', `/runs/${reviewing.runId}`);
  await expect(page.getByRole('main')).toContainText(reviewing.path);
  await expect(page.getByRole('button', { name: 'Cancel run' })).toHaveCount(0);
});

test('the list follows what happens, without a reload', async ({ page }) => {
  // The feed tells of what changes from its first answer on.
  const feed = page.waitForResponse((response) => response.url().includes('/changes'));
  await signIn(page, 'olga', '/runs');
  await expect(page.getByRole('table')).toBeVisible();
  await feed;
  const run = await submit('skyline', `flights/${unique('live')}.csv`, flights({}), ['completed']);
  const row = page.getByRole('row').filter({ hasText: run.path });
  await expect(row).toContainText(/completed/i);
});

/** A message in the wrong queue: every delivery fails, and the broker gives up on it as Service Bus does. */
async function misroute(run: Run): Promise<void> {
  const message = JSON.stringify({ sluice: { run: run.runId, step: 'decisions' } });
  const sent = await fetch(new URL('/devhost/queues/transform/messages', connection().host), { method: 'POST', body: message });
  expect(sent.status).toBe(201);
}

test('a run with a dead letter is told, resent and goes on to its end', async ({ page }) => {
  test.slow();
  const calm = watch(page);
  const run = await submit('skyline', `flights/${unique('dead')}.csv`, flights({ good: 2, late: 1 }), ['reviewing']);
  const address = `/runs/${run.runId}`;
  await misroute(run);
  await eventually('the message is dead-lettered', async () => (await call<Run>('olga', 'GET', address)).deadLetter);

  await signIn(page, 'olga', '/runs?view=stuck');
  const row = page.getByRole('row').filter({ hasText: run.path });
  await expect(row).toContainText('Stuck');
  await row.getByRole('link').first().click();
  const main = page.getByRole('main');
  await expect(main).toContainText('Stuck at decisions');
  await expect(main).toContainText('Nothing is lost');
  await accessible(page);
  await page.getByRole('button', { name: 'Resend' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resend' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(main).not.toContainText('Stuck at decisions');
  expect((await call<Run>('olga', 'GET', address)).deadLetter ?? null).toBeNull();

  const items = await casesOf(run, 1);
  await call('rita', 'POST', `/reviews/${items[0]!.caseId}/decide`, { verdict: { verdict: 'approve' }, digest: items[0]!.digest });
  await eventually('the run is completed', async () => (await call<Run>('olga', 'GET', address)).state === 'completed');
  await page.goto('/runs?view=stuck');
  await expect(page.getByRole('main')).not.toContainText(run.path);
  calm();
});
