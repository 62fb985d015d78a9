/** People at a browser. */

import { expect, type Browser, type Page } from '@playwright/test';

import { type Name, principal } from './connection';

/** Signs in as a person would: the app, the issuer's page, and back to where it was asked for. */
export async function signIn(page: Page, name: Name, path = '/'): Promise<void> {
  await page.goto(path);
  await page.getByRole('button', { name: 'Sign in', exact: false }).first().click();
  await page.getByRole('button', { name: principal(name).displayName }).click();
  await expect(page.getByRole('navigation').first()).toBeVisible();
}

/** Another person at another browser. */
export async function another(browser: Browser, name: Name, path = '/'): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, name, path);
  return page;
}
