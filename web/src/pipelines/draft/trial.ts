import { api, okAs } from '../../api/client';
import type { HeldRow, RowProblem } from '../../api/extra';
import type { components } from '../../api/schema';
import type { QualityVerdict, Tally } from '../../runs/detail/report';
import type { Texts } from '../api';

type Schemas = components['schemas'];

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly line?: number | null;
}

/** POST /pipelines/dry-run. */
export interface DryRun {
  readonly truncated: boolean;
  readonly header: readonly string[] | null;
  readonly tally: Tally;
  readonly verdicts: readonly QualityVerdict[];
  readonly refusals: readonly Refusal[];
  /** The first rejected rows with reasons, in the file's own format. */
  readonly rejected: string;
  readonly held: readonly HeldRow[];
}

export type ChangedRow = Omit<Schemas['ChangedRowView'], 'reasons'> & { readonly reasons: readonly RowProblem[] };

/** POST /pipelines/compare. */
export type Comparison = Omit<Schemas['ComparisonView'], 'changed' | 'refusals'> & {
  readonly changed: readonly ChangedRow[];
  readonly refusals: readonly Refusal[];
};

/** What a draft is tried on. */
export type Sample =
  | { readonly kind: 'run'; readonly run: string; readonly bytes: number }
  | { readonly kind: 'file'; readonly file: File; readonly bytes: number };

export async function dryRun(texts: Texts, sample: Sample): Promise<DryRun> {
  const body = sample.kind === 'run' ? { run: sample.run, bytes: sample.bytes } : await fileBody(sample.file, sample.bytes);
  return okAs(api.POST('/pipelines/dry-run', { body: { ...texts, ...body } }));
}

export const compare = (texts: Texts, run: string, bytes: number): Promise<Comparison> =>
  okAs(api.POST('/pipelines/compare', { body: { ...texts, run, bytes } }));

/** Formats whose beginning is of no use without the end. */
const WHOLE = /\.(parquet|gz|zst)$/i;

async function fileBody(file: File, bytes: number): Promise<object> {
  const part = WHOLE.test(file.name) || file.size <= bytes ? file : file.slice(0, await endOfLine(file, bytes));
  return { sampleName: file.name, sampleBase64: toBase64(new Uint8Array(await part.arrayBuffer())), bytes: Math.max(bytes, part.size) };
}

/** Where the last whole line within `bytes` ends: a row that is cut would be told as a wrong one. */
async function endOfLine(file: File, bytes: number): Promise<number> {
  const tail = Math.min(bytes, 1 << 16);
  const window = new Uint8Array(await file.slice(bytes - tail, bytes).arrayBuffer());
  const at = window.lastIndexOf(10);
  return at < 0 ? bytes : bytes - tail + at + 1;
}

function toBase64(bytes: Uint8Array): string {
  const step = 0x8000;
  let binary = '';
  for (let i = 0; i < bytes.length; i += step) binary += String.fromCharCode(...bytes.subarray(i, i + step));
  return btoa(binary);
}
