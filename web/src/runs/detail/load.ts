import { ApiError, request } from '../../api/client';
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

const at = (run: string) => `/runs/${encodeURIComponent(run)}`;

export const loadRun = (run: string): Promise<Run> => request('GET', at(run));
export const loadTimeline = (run: string): Promise<readonly EventView[]> => request('GET', `${at(run)}/timeline`);
export const loadAudit = (run: string): Promise<AuditView> => request('GET', `${at(run)}/audit`);

/** All attempts of a submission, newest first. */
export async function loadAttempts(submission: string): Promise<readonly RunSummary[]> {
  const { runs } = await request<components['schemas']['SubmissionView']>('GET', `/submissions/${encodeURIComponent(submission)}`);
  return runs;
}

/** The report of a run, or null as long as the whole file is not checked. */
export async function loadReport(run: string): Promise<RunReport | null> {
  try {
    return await request<RunReport>('GET', `${at(run)}/report`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export const loadChunks = (run: string, cursor: string | undefined): Promise<Page<ChunkView>> =>
  request('GET', `${at(run)}/chunks?limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);

export function loadCases(run: string, cursor: string | undefined): Promise<Page<CaseView>> {
  const query = new URLSearchParams({ run, status: 'open,confirming,decided,void', limit: '100', ...(cursor ? { cursor } : {}) });
  return request('GET', `/reviews?${query}`);
}

export const explainRow = (run: string, row: number): Promise<RowOfRun> => request('GET', `/rows/${encodeURIComponent(run)}/${row}`);

export const resume = (run: string): Promise<Run> => request('POST', `${at(run)}/resume`);
export const cancel = (run: string): Promise<Run> => request('POST', `${at(run)}/cancel`);
export const reprocess = (run: string): Promise<Run> => request('POST', `${at(run)}/reprocess`);
