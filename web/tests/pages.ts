/** Every page of the app, who looks at it, and what tells that it is there. */

import { expect, type Page } from '@playwright/test';

import type { Name } from './connection';
import { signIn } from './people';
import type { Seed } from './seed';

export interface AppPage {
  readonly name: string;
  readonly who: Name;
  readonly path: (seed: Seed) => string;
  /** Text that stands on the page once its data is there. */
  readonly shows: (seed: Seed) => string | RegExp;
}

export const PAGES: readonly AppPage[] = [
  { name: 'dashboard', who: 'olga', path: () => '/dashboard', shows: () => 'flights' },
  { name: 'reviews', who: 'rita', path: () => '/reviews', shows: () => 'long-delay' },
  { name: 'review-case', who: 'rita', path: (seed) => `/reviews/${seed.reviewCase}`, shows: () => 'minutes late' },
  { name: 'runs', who: 'olga', path: () => '/runs', shows: (seed) => seed.refused.path },
  { name: 'run', who: 'olga', path: (seed) => `/runs/${seed.completed.runId}`, shows: (seed) => seed.completed.path },
  { name: 'run-refused', who: 'olga', path: (seed) => `/runs/${seed.refused.runId}`, shows: () => 'F0003' },
  { name: 'pipelines', who: 'emil', path: () => '/pipelines', shows: () => 'northwind' },
  { name: 'pipeline', who: 'emil', path: () => '/pipelines/flights', shows: () => 'flights' },
  { name: 'pipeline-draft', who: 'emil', path: () => '/pipelines/flights/draft', shows: () => 'There is no draft' },
  { name: 'pipeline-versions', who: 'emil', path: () => '/pipelines/flights/versions', shows: () => /version 1|v1/i },
  { name: 'pipeline-parameters', who: 'emil', path: () => '/pipelines/flights/parameters', shows: () => 'long_delay_minutes' },
  { name: 'uploads', who: 'skyline', path: () => '/uploads', shows: (seed) => seed.completed.path },
  { name: 'upload', who: 'skyline', path: (seed) => `/uploads/${seed.completed.submissionId}`, shows: () => 'Not a whole number' },
  { name: 'upload-refused', who: 'skyline', path: (seed) => `/uploads/${seed.refused.submissionId}`, shows: () => 'F0003' },
];

/** Signs in and waits until the page has its data. */
export async function open(page: Page, one: AppPage, seed: Seed): Promise<void> {
  await signIn(page, one.who, one.path(seed));
  await settled(page, one, seed);
}

export async function settled(page: Page, one: AppPage, seed: Seed): Promise<void> {
  await expect(page.getByRole('main')).toContainText(one.shows(seed));
  await expect(page.locator('.skeleton')).toHaveCount(0);
}
