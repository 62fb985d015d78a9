/** What must hold on every page. */

import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** axe finds nothing. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary ?? ''}`).join(' | ')}`)).toEqual([]);
}

/** Switches the theme of the system, and waits until the page is painted in it. */
export async function theme(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Neither the window nor the page inside it scrolls sideways; a wide table may, in a box of its own. */
export async function fits(page: Page): Promise<void> {
  const wide = await page.evaluate(() =>
    [document.documentElement, document.body, ...document.querySelectorAll('main')]
      .filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => {
        const width = box.clientWidth;
        const right = (element: Element) => Math.round(element.getBoundingClientRect().right);
        const beyond = [...box.querySelectorAll('*')].filter((element) => right(element) > width + 1).slice(0, 5);
        return `${box.localName}: ${beyond.map((element) => `${element.localName}.${element.className} ends at ${right(element)} of ${width}`).join(', ')}`;
      }),
  );
  expect(wide).toEqual([]);
}

/** Nothing was refused by the Content Security Policy, and nothing failed unnoticed. */
export function watch(page: Page): () => void {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted Type/i.test(message.text())) faults.push(message.text());
  });
  return () => expect(faults).toEqual([]);
}
