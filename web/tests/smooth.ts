/** How smooth a page is: long tasks of its main thread, and frames that came late. */

import type { CDPSession, Page } from '@playwright/test';

export interface Smoothness extends Measured {
  /** Milliseconds of processor time of the main thread: what the work costs, however busy the machine is. */
  readonly cpu: number;
}

interface Measured {
  readonly seconds: number;
  /** Milliseconds of each task over 50 ms. */
  readonly longTasks: readonly number[];
  readonly frames: number;
  /** Frames of a 60 Hz screen that were not painted. */
  readonly dropped: number;
  readonly worstFrame: number;
}

interface Probe {
  begin(): void;
  end(): Measured;
}

/** Puts the measuring into every document of the page that is opened from now on. */
export async function watchSmoothness(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const FRAME = 1000 / 60;
    let tasks: number[] = [];
    let frames: number[] = [];
    let begun = 0;
    let last = 0;
    let running = false;
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => Math.round(entry.duration)))).observe({ type: 'longtask' });
    const tick = (now: number): void => {
      if (last > 0) frames.push(now - last);
      last = now;
      if (running) requestAnimationFrame(tick);
    };
    const probe: Probe = {
      begin() {
        [tasks, frames, last, running, begun] = [[], [], 0, true, performance.now()];
        requestAnimationFrame(tick);
      },
      end() {
        running = false;
        return {
          seconds: Math.round(performance.now() - begun) / 1000,
          longTasks: tasks,
          frames: frames.length,
          dropped: frames.reduce((sum, frame) => sum + Math.max(0, Math.round(frame / FRAME) - 1), 0),
          worstFrame: Math.round(Math.max(0, ...frames)),
        };
      },
    };
    Object.assign(globalThis, { smoothness: probe });
  });
}

/** What `work` does to the page. */
export async function smoothness(page: Page, work: () => Promise<void>): Promise<Smoothness> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const before = await busy(session);
  await page.evaluate(() => (globalThis as unknown as { smoothness: Probe }).smoothness.begin());
  await work();
  const measured = await page.evaluate(() => (globalThis as unknown as { smoothness: Probe }).smoothness.end());
  const cpu = Math.round((await busy(session)) - before);
  await session.detach();
  return { ...measured, cpu };
}

/** Milliseconds that the main thread has worked. */
async function busy(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000;
}

/** Megabytes of live objects. */
export async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return Math.round(usedSize / 1e6);
}
