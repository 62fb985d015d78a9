import { ApiError, api, ok, okAs } from '../../api/client';
import type { CaseView, EventView, Page, RowExplanation, RunDetail, RunSummary } from '../../api/extra';
import type { components } from '../../api/schema';
import type { ChunkView, RunReport } from './report';

export type AuditView = components['schemas']['AuditView'];

export type Run = RunDetail;

export type RowOfRun = RowExplanation & {
  readonly chunk: number;
  readonly files: readonly { readonly container: string; readonly path: string }[];
  readonly table: string;
  readonly tableVersion: number | null;
};

const of = (run: string) => ({ params: { path: { run } } });

export const loadRun = (run: string): Promise<Run> => ok(api.GET('/runs/{run}', of(run)));
export const loadTimeline = (run: string): Promise<readonly EventView[]> => ok(api.GET('/runs/{run}/timeline', of(run)));
export const loadAudit = (run: string): Promise<AuditView> => ok(api.GET('/runs/{run}/audit', of(run)));

/** All attempts of a submission, newest first. */
export async function loadAttempts(submission: string): Promise<readonly RunSummary[]> {
  const { runs } = await ok(api.GET('/submissions/{id}', { params: { path: { id: submission } } }));
  return runs;
}

/** The report of a run, or null as long as the whole file is not checked. */
export async function loadReport(run: string): Promise<RunReport | null> {
  try {
    return await okAs<RunReport>(api.GET('/runs/{run}/report', of(run)));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export const loadChunks = (run: string, cursor: string | undefined): Promise<Page<ChunkView>> =>
  okAs(api.GET('/runs/{run}/chunks', { params: { path: { run }, query: { limit: 200, ...(cursor !== undefined && { cursor }) } } }));

export const loadCases = (run: string, cursor: string | undefined): Promise<Page<CaseView>> =>
  ok(api.GET('/reviews', { params: { query: { run, status: 'open,confirming,decided,void', limit: 100, ...(cursor !== undefined && { cursor }) } } }));

export const explainRow = (run: string, row: number): Promise<RowOfRun> => okAs(api.GET('/rows/{run}/{row}', { params: { path: { run, row } } }));

export const resume = (run: string): Promise<Run> => ok(api.POST('/runs/{run}/resume', of(run)));
export const cancel = (run: string): Promise<Run> => ok(api.POST('/runs/{run}/cancel', of(run)));
export const reprocess = (run: string): Promise<Run> => ok(api.POST('/runs/{run}/reprocess', of(run)));
