import { ApiError, api, ok } from '../api/client';
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

const at = (name: string) => ({ path: { name } });

async function unlessMissing<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export const loadPipelines = (): Promise<readonly PipelineView[]> => ok(api.GET('/pipelines'));
/** The live version, or null if there is none: the pipeline is new, or there is no such pipeline. */
export const loadLive = (name: string): Promise<PipelineTexts | null> => unlessMissing(ok(api.GET('/pipelines/{name}', { params: at(name) })));
export const loadVersions = (name: string): Promise<readonly VersionView[]> => ok(api.GET('/pipelines/{name}/versions', { params: at(name) }));
export const loadVersion = (name: string, version: number): Promise<PipelineTexts> =>
  ok(api.GET('/pipelines/{name}/versions/{version}', { params: { path: { name, version } } }));

/** The draft, or null if there is none. */
export const loadDraft = (name: string): Promise<Draft | null> => unlessMissing(ok(api.GET('/pipelines/{name}/draft', { params: at(name) })));

/** Stores a draft in the place of the one that was read; refused if somebody else stored another one since. */
export const storeDraft = (name: string, texts: Texts, replaces: Draft | null): Promise<Draft> => {
  const header = replaces ? { 'If-Match': `"${replaces.hash}"` } : { 'If-None-Match': '*' };
  return ok(api.PUT('/pipelines/{name}/draft', { params: { ...at(name), header }, body: texts }));
};
export const dropDraft = (name: string): Promise<unknown> => ok(api.DELETE('/pipelines/{name}/draft', { params: at(name) }));
export const approveDraft = (name: string, hash: string): Promise<PipelineTexts> =>
  ok(api.POST('/pipelines/{name}/draft/approve', { params: at(name), body: { hash } }));

export const loadParameters = (pipeline: string): Promise<ParametersHistory> =>
  ok(api.GET('/parameters/{pipeline}', { params: { path: { pipeline } } }));

/** Sets values for runs that start from now on; refused if somebody else set others since `version` was read. */
export const storeParameters = (
  pipeline: string,
  values: Readonly<Record<string, unknown>>,
  comment: string,
  version: number,
): Promise<ParametersHistory> => {
  const params = { path: { pipeline }, header: { 'If-Match': `"p${version}"` } };
  // The description cannot say that a value is of any type.
  return ok(api.PUT('/parameters/{pipeline}', { params, body: { values: values as Record<string, never>, comment } }));
};
