/** Problems of a run by code and column: from the receipt once there is one, from the report before. */

import { api, okAs } from '../../api/client';
import type { ProblemCount, RunSummary } from '../../api/extra';

export interface Receipt {
  readonly file: { readonly sha256: string | null; readonly blake3: string | null; readonly declared: { readonly sha256?: string | null }; readonly repeats: string | null };
  readonly checkedAgainst: { readonly contract: string; readonly contractVersion: string; readonly pipeline: string; readonly pipelineVersion: number } | null;
  readonly problems: readonly ProblemCount[];
  readonly warnings: Readonly<Record<string, number>>;
  readonly review: { readonly corrected: number; readonly rejected: number } | null;
  readonly published: { readonly table: string; readonly version: number } | null;
  readonly keepUntil: string | null;
}

interface Report {
  readonly tally: { readonly problems: readonly ProblemCount[] };
}

export interface Findings {
  readonly problems: readonly ProblemCount[];
  readonly receipt: Receipt | null;
}

/** Null while the file is not checked to its end. */
export async function findings(run: RunSummary): Promise<Findings | null> {
  if (run.receipt) {
    const receipt = await okAs<Receipt>(api.GET('/submissions/{id}/receipt', { params: { path: { id: run.runId } } }));
    return { problems: largestFirst(receipt.problems), receipt };
  }
  if (!run.counts) return null;
  const report = await okAs<Report>(api.GET('/runs/{run}/report', { params: { path: { run: run.runId } } }));
  return { problems: largestFirst(report.tally.problems), receipt: null };
}

function largestFirst(problems: readonly ProblemCount[]): ProblemCount[] {
  return [...problems].sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
}
