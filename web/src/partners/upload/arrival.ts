/** Finds the run of a file that was just sent: the upload is complete a moment before its run begins. */

import { ApiError, api, ok } from '../../api/client';
import type { components } from '../../api/schema';

type RunSummary = components['schemas']['RunSummary'];

const PAUSE_MS = 1000;

/** The first run of the grant's path since `since`; null if there is none after `patienceMs`. */
export async function arrival(grantId: string, since: number, patienceMs: number): Promise<RunSummary | null> {
  for (const end = performance.now() + patienceMs; ; ) {
    const run = await lookUp(grantId, since);
    if (run || performance.now() > end) return run;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function lookUp(grantId: string, since: number): Promise<RunSummary | null> {
  try {
    const { runs } = await ok(api.GET('/submissions/{id}', { params: { path: { id: grantId } } }));
    return runs.find((run) => Date.parse(run.createdAt) >= since) ?? null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
