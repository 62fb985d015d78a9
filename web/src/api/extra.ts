/** Short names for the generated types. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type RunSummary = Schemas['RunSummary'];
export type RunDetail = Schemas['RunDetail'];
export type CountsView = Schemas['CountsView'];
export type EventView = Schemas['EventView'];
export type ActorView = Schemas['ActorView'];
export type VerdictView = Schemas['VerdictView'];
export type DecisionView = Schemas['DecisionView'];

export type CaseView = Schemas['CaseView'];
export type ChangesView = Schemas['ChangesView'];

/** A page of a listing. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string | null;
}

/** A value as JSON has it: dates and decimals are text. */
export type Cell = string | number | boolean | null | readonly Cell[] | { readonly [name: string]: Cell };

/** One thing that is wrong with one row. */
export interface RowProblem {
  readonly code: string;
  readonly row: number;
  readonly line: number;
  readonly offset: number;
  readonly column?: string;
  readonly value?: string;
  readonly rule?: string;
  readonly message: string;
}

/** How often one kind of problem was found, with the first of them. */
export interface ProblemCount {
  readonly code: string;
  readonly column?: string;
  readonly rule?: string;
  readonly count: number;
  readonly samples: readonly RowProblem[];
}

export interface HeldRow {
  readonly row: number;
  readonly line: number;
  readonly offset: number;
  readonly cause: { readonly kind: 'rule' | 'problem'; readonly name: string; readonly column?: string | null };
  readonly problems: readonly RowProblem[];
  readonly raw: string;
  readonly parsed: Readonly<Record<string, Cell>>;
  readonly proposed: Readonly<Record<string, Cell>>;
}

/** Where one row of a file ended, and why (GET /rows/{run}/{row}). */
export interface RowExplanation {
  readonly row: number;
  readonly outcome: 'published' | 'corrected' | 'rejected' | 'filtered' | 'duplicate' | 'held';
  readonly line: number | null;
  readonly offset: number | null;
  readonly raw: string | null;
  readonly problems: readonly RowProblem[];
  readonly warnings: readonly string[];
  readonly caseId: string | null;
  readonly decision: unknown;
}
