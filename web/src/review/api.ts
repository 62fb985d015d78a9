import { api, ok, request } from '../api/client';
import type { CaseView, Cell, HeldRow, Page, RowExplanation, RowProblem, RunDetail, VerdictView } from '../api/extra';
import type { components } from '../api/schema';

export type BulkResult = components['schemas']['BulkResult'];

export interface CaseQuery {
  readonly status?: string;
  readonly cause?: string;
  readonly overdue?: boolean;
  readonly mine?: boolean;
  readonly partner?: string;
  readonly pipeline?: string;
  readonly run?: string;
}

export interface DecisionBody {
  readonly verdict: VerdictView;
  readonly rows: Readonly<Record<string, VerdictView>>;
  readonly comment: string;
  readonly digest: string;
}

/** A row as it would be after its correction: nothing is stored. */
export interface TriedRow {
  readonly row: number;
  readonly proposed: Readonly<Record<string, Cell>> | null;
  /** A filter of the pipeline would leave it out. */
  readonly filtered?: boolean;
  readonly problems: readonly RowProblem[];
}

export type Values = Readonly<Record<string, string | null>>;

const PAGE = 200;
const path = (caseId: string, action = '') => `/reviews/${encodeURIComponent(caseId)}${action}`;

function search(values: Readonly<Record<string, string | boolean | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== false && value !== '') query.set(name, String(value));
  }
  return `?${query}`;
}

export const listCases = (query: CaseQuery, cursor?: string) =>
  request<Page<CaseView>>('GET', `/reviews${search({ ...query, cursor, limit: PAGE })}`);

/** The parameters of an operation on a case. */
const of = (caseId: string) => ({ path: { case: caseId } });

export const getCase = (caseId: string): Promise<CaseView> => ok(api.GET('/reviews/{case}', { params: of(caseId) }));

export const getRun = (runId: string): Promise<RunDetail> => ok(api.GET('/runs/{run}', { params: { path: { run: runId } } }));

export const listRows = (caseId: string, cursor?: string) =>
  request<Page<HeldRow>>('GET', `${path(caseId, '/rows')}${search({ cursor, limit: PAGE })}`);

export const explainRow = (runId: string, row: number) =>
  request<RowExplanation>('GET', `/rows/${encodeURIComponent(runId)}/${row}`);

export const claim = (caseId: string): Promise<CaseView> => ok(api.POST('/reviews/{case}/claim', { params: of(caseId) }));
export const release = (caseId: string): Promise<CaseView> => ok(api.POST('/reviews/{case}/release', { params: of(caseId) }));
export const assign = (caseId: string, id: string, name: string): Promise<CaseView> =>
  ok(api.POST('/reviews/{case}/assign', { params: of(caseId), body: { id, name } }));
export const comment = (caseId: string, text: string, key: string): Promise<CaseView> =>
  ok(api.POST('/reviews/{case}/comments', { params: { ...of(caseId), header: { 'Idempotency-Key': key } }, body: { text } }));
export const undo = (caseId: string, digest: string): Promise<CaseView> =>
  ok(api.POST('/reviews/{case}/undo', { params: of(caseId), body: { digest } }));

export const tryRows = (caseId: string, digest: string, rows: Readonly<Record<string, Values>>) =>
  request<{ rows: readonly TriedRow[] }>('POST', path(caseId, '/try'), { digest, rows });

/** The key lets the client send it again after a lost answer: a case that is decided refuses a second decision. */
export const decide = (caseId: string, body: DecisionBody, key: string) =>
  request<CaseView>('POST', path(caseId, '/decide'), body, { 'Idempotency-Key': key });

export const decideMany = (verdict: 'approve' | 'reject', comment: string, cases: readonly CaseView[], key: string) =>
  request<BulkResult>(
    'POST',
    '/reviews/decide',
    { verdict: { verdict }, comment, cases: cases.map(({ caseId, digest }) => ({ caseId, digest })) },
    { 'Idempotency-Key': key },
  );
