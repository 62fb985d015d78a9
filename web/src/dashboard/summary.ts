import { request } from '../api/client';

export interface DayCount {
  readonly day: string;
  readonly partner: string;
  /** Null for files that no pipeline takes. */
  readonly pipeline: string | null;
  readonly runs: number;
  readonly rows: number;
  readonly rejected: number;
  readonly bytes: number;
}

export interface Silence {
  readonly partner: string;
  readonly pipeline: string;
  readonly lastAt: string;
  readonly usualSeconds: number;
}

export interface Summary {
  readonly at: string;
  readonly inFlight: number;
  readonly waiting: { readonly runs: number; readonly cases: number; readonly rows: number; readonly overdue: number };
  readonly failed: number;
  readonly deadLettered: number;
  readonly days: readonly DayCount[];
  readonly silent: readonly Silence[];
}

export const loadSummary = (days: number): Promise<Summary> => request('GET', `/summary?days=${days}`);
