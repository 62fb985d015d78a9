import type { ProblemCount } from '../../api/extra';

export interface HeldCount {
  readonly cause: { readonly kind: 'rule' | 'problem'; readonly name: string; readonly column?: string | null };
  readonly count: number;
}

export interface Totals {
  readonly rows: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly filtered: number;
  readonly duplicate: number;
  readonly held: number;
}

export interface Tally {
  readonly totals: Totals;
  readonly lines: number;
  readonly bytes: number;
  readonly problems: readonly ProblemCount[];
  readonly warnings: Readonly<Record<string, number>>;
  readonly repairs: Readonly<Record<string, number>>;
  readonly held: readonly HeldCount[];
}

export interface QualityVerdict {
  readonly quality: string;
  readonly value: number;
  readonly holds: boolean;
  readonly warnOnly: boolean;
  readonly message: string;
}

/** GET /runs/{run}/report: everything added up. */
export interface RunReport {
  readonly tally: Tally;
  readonly verdicts: readonly QualityVerdict[];
}

/** An item of GET /runs/{run}/chunks. */
export interface ChunkView {
  readonly index: number;
  readonly generation: number;
  readonly chunk: { readonly start: number; readonly end: number; readonly firstRow: number; readonly firstLine: number };
  readonly tally: Tally;
}
