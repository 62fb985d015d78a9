/** Who may see what: the navigation follows the roles, a page that is not theirs does not exist, and the API refuses on its own. */

import { expect, test } from '@playwright/test';

import { accessible } from './checks';
import { connection, type Name } from './connection';
import { another, signIn } from './people';
import { seed } from './seed';

const PLACES: readonly (readonly [Name, readonly string[]])[] = [
  ['skyline', ['Uploads']],
  ['rita', ['Dashboard', 'Reviews', 'Runs', 'Pipelines']],
  ['olga', ['Dashboard', 'Reviews', 'Runs', 'Pipelines', 'Uploads']],
  ['emil', ['Dashboard', 'Reviews', 'Runs', 'Pipelines']],
  ['ada', ['Dashboard', 'Reviews', 'Runs', 'Pipelines']],
];

for (const [name, places] of PLACES) {
  test(`${name} sees the places of the role`, async ({ page }) => {
    await signIn(page, name);
    await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link')).toHaveText(places.map((place) => new RegExp(place)));
  });
}

test('an address is kept over the sign-in', async ({ page }) => {
  const { completed } = await seed();
  await signIn(page, 'olga', `/runs/${completed.runId}`);
  await expect(page).toHaveURL(`/runs/${completed.runId}`);
});

test('a reload keeps the session, and signing out ends it', async ({ page }) => {
  await signIn(page, 'skyline', '/uploads');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Uploads', level: 1 })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await page.goto('/uploads');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('a place of another role does not exist', async ({ page }) => {
  await signIn(page, 'skyline', '/runs');
  await expect(page.getByRole('heading', { name: 'There is no such page' }).or(page.getByText('There is no such page'))).toBeVisible();
  await accessible(page);
});

test('the API refuses what the page does not offer', async ({ page }) => {
  await signIn(page, 'skyline', '/uploads');
  const token = await page.evaluate(() => (JSON.parse(sessionStorage.getItem('sluice.tokens') ?? '{}') as { access: string }).access);
  const response = await fetch(`${connection().api}/reviews`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(403);
});

test("another partner's upload does not exist", async ({ page, browser }) => {
  const { completed } = await seed();
  await signIn(page, 'northwind', `/uploads/${completed.submissionId}`);
  await expect(page.getByRole('alert')).toContainText('The upload cannot be shown');
  await expect(page.getByRole('main')).not.toContainText(completed.path);
  const own = await another(browser, 'skyline', `/uploads/${completed.submissionId}`);
  await expect(own.getByRole('heading', { level: 1 })).toHaveText(completed.path);
});
