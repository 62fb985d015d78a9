import { ApiError, request } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type PipelineView = Schemas['PipelineView'];
export type ParametersHistory = Schemas['ParametersHistory'];
export type Mistake = Schemas['Mistake'];
export type VersionView = Schemas['VersionView'];
export type PipelineTexts = Schemas['PipelineTexts'];
export type Draft = Schemas['DraftView'];

/** The two texts that make a pipeline. */
export type Texts = Pick<PipelineTexts, 'pipeline' | 'contract'>;

const at = (name: string) => `/pipelines/${encodeURIComponent(name)}`;

export const loadPipelines = (): Promise<readonly PipelineView[]> => request('GET', '/pipelines');
export const loadLive = (name: string): Promise<PipelineTexts> => request('GET', at(name));
export const loadVersions = (name: string): Promise<readonly VersionView[]> => request('GET', `${at(name)}/versions`);
export const loadVersion = (name: string, version: number): Promise<PipelineTexts> => request('GET', `${at(name)}/versions/${version}`);

/** The draft, or null if there is none. */
export async function loadDraft(name: string): Promise<Draft | null> {
  try {
    return await request<Draft>('GET', `${at(name)}/draft`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** Stores a draft in the place of the one that was read; refused if somebody else stored another one since. */
export const storeDraft = (name: string, texts: Texts, replaces: Draft | null): Promise<Draft> =>
  request('PUT', `${at(name)}/draft`, texts, replaces ? { 'If-Match': `"${replaces.hash}"` } : { 'If-None-Match': '*' });
export const dropDraft = (name: string): Promise<unknown> => request('DELETE', `${at(name)}/draft`);
export const approveDraft = (name: string, hash: string): Promise<PipelineTexts> => request('POST', `${at(name)}/draft/approve`, { hash });

export const loadParameters = (pipeline: string): Promise<ParametersHistory> => request('GET', `/parameters/${encodeURIComponent(pipeline)}`);

/** Sets values for runs that start from now on; refused if somebody else set others since `version` was read. */
export const storeParameters = (
  pipeline: string,
  values: Readonly<Record<string, unknown>>,
  comment: string,
  version: number,
): Promise<ParametersHistory> =>
  request('PUT', `/parameters/${encodeURIComponent(pipeline)}`, { values, comment }, { 'If-Match': `"p${version}"` });
