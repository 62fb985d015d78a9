import { api, keyed, ok, okAs } from '../api/client';
import type { CaseView, Cell, HeldRow, Page, RowExplanation, RowProblem, RunDetail, VerdictView } from '../api/extra';
import type { components, paths } from '../api/schema';
import type { PlainVerdict } from './case/verdicts';

export type BulkResult = components['schemas']['BulkResult'];

export type CaseQuery = NonNullable<paths['/reviews']['get']['parameters']['query']>;

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

export const listCases = (query: CaseQuery, cursor?: string): Promise<Page<CaseView>> =>
  ok(api.GET('/reviews', { params: { query: { ...query, limit: PAGE, ...(cursor !== undefined && { cursor }) } } }));

/** The parameters of an operation on a case. */
const of = (caseId: string) => ({ path: { case: caseId } });

export const getCase = (caseId: string): Promise<CaseView> => ok(api.GET('/reviews/{case}', { params: of(caseId) }));

export const getRun = (runId: string): Promise<RunDetail> => ok(api.GET('/runs/{run}', { params: { path: { run: runId } } }));

export const listRows = (caseId: string, cursor?: string): Promise<Page<HeldRow>> =>
  okAs(api.GET('/reviews/{case}/rows', { params: { ...of(caseId), query: { limit: PAGE, ...(cursor !== undefined && { cursor }) } } }));

export const explainRow = (runId: string, row: number): Promise<RowExplanation> =>
  okAs(api.GET('/rows/{run}/{row}', { params: { path: { run: runId, row } } }));

export const claim = (caseId: string): Promise<CaseView> => ok(api.POST('/reviews/{case}/claim', { params: of(caseId) }));
export const release = (caseId: string): Promise<CaseView> => ok(api.POST('/reviews/{case}/release', { params: of(caseId) }));
export const assign = (caseId: string, id: string, name: string): Promise<CaseView> =>
  ok(api.POST('/reviews/{case}/assign', { params: of(caseId), body: { id, name } }));
export const comment = (caseId: string, text: string, key: string): Promise<CaseView> =>
  ok(api.POST('/reviews/{case}/comments', { params: of(caseId), body: { text }, ...keyed(key) }));
export const undo = (caseId: string, digest: string): Promise<CaseView> =>
  ok(api.POST('/reviews/{case}/undo', { params: of(caseId), body: { digest } }));

export const tryRows = (caseId: string, digest: string, rows: Readonly<Record<string, Values>>): Promise<{ rows: readonly TriedRow[] }> =>
  okAs(api.POST('/reviews/{case}/try', { params: of(caseId), body: { digest, rows } }));

/** The key lets the client send it again after a lost answer: a case that is decided refuses a second decision. */
export const decide = (caseId: string, body: DecisionBody, key: string): Promise<CaseView> =>
  ok(api.POST('/reviews/{case}/decide', { params: of(caseId), body, ...keyed(key) }));

export const decideMany = (verdict: PlainVerdict, comment: string, cases: readonly CaseView[], key: string): Promise<BulkResult> => {
  const seen = cases.map(({ caseId, digest }) => ({ caseId, digest }));
  return ok(api.POST('/reviews/decide', { body: { verdict: { verdict }, comment, cases: seen }, ...keyed(key) }));
};
