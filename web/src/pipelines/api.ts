import { api, ok, request } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];

export type PipelineView = Schemas['PipelineView'];
export type ParametersHistory = Schemas['ParametersHistory'];
export type Mistake = Schemas['Mistake'];
export type VersionView = Schemas['VersionView'] & { readonly approvedBy?: string | { readonly id: string; readonly name: string } | null };
export type PipelineTexts = VersionView & Texts;

/** The two texts that make a pipeline. */
export interface Texts {
  readonly pipeline: string;
  readonly contract: string;
}

export interface Draft extends Texts {
  readonly name: string;
  readonly hash: string;
  readonly author: { readonly id: string; readonly name: string };
  readonly createdAt: string;
}

const at = (name: string) => `/pipelines/${encodeURIComponent(name)}`;

export const loadPipelines = (): Promise<PipelineView[]> => ok(api.GET('/pipelines'));
export const loadLive = (name: string): Promise<PipelineTexts> => ok(api.GET('/pipelines/{name}', { params: { path: { name } } }));
export const loadVersions = (name: string): Promise<VersionView[]> => ok(api.GET('/pipelines/{name}/versions', { params: { path: { name } } }));
export const loadVersion = (name: string, version: number): Promise<PipelineTexts> => request('GET', `${at(name)}/versions/${version}`);

export const loadDraft = (name: string): Promise<Draft> => request('GET', `${at(name)}/draft`);
export const storeDraft = (name: string, texts: Texts): Promise<Draft> => request('PUT', `${at(name)}/draft`, texts);
export const dropDraft = (name: string): Promise<unknown> => request('DELETE', `${at(name)}/draft`);
export const approveDraft = (name: string, hash: string): Promise<PipelineTexts> => request('POST', `${at(name)}/draft/approve`, { hash });

export const loadParameters = (pipeline: string): Promise<ParametersHistory> =>
  ok(api.GET('/parameters/{pipeline}', { params: { path: { pipeline } } }));
