import type { CaseQuery } from '../api';

/** What the queue shows; it stands in the address, so that a reload or a link shows the same. */
export interface QueueFilter {
  readonly view: View;
  readonly pipeline: string;
  readonly partner: string;
  readonly cause: string;
  /** Hours since the case was opened, at least. */
  readonly age: string;
  /** Due within so many hours. */
  readonly due: string;
  /** A run's id. */
  readonly run: string;
  readonly text: string;
}

export const VIEWS = ['waiting', 'mine', 'overdue', 'decided'] as const;
export type View = (typeof VIEWS)[number];

const NAMES = ['pipeline', 'partner', 'cause', 'age', 'due', 'run', 'text'] as const;

export function fromSearch(search: string): QueueFilter {
  const query = new URLSearchParams(search);
  const view = VIEWS.find((one) => one === query.get('view')) ?? 'waiting';
  const texts = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ''])) as Record<(typeof NAMES)[number], string>;
  return { view, ...texts };
}

export function toSearch(filter: QueueFilter): string {
  const query = new URLSearchParams();
  if (filter.view !== 'waiting') query.set('view', filter.view);
  for (const name of NAMES) if (filter[name]) query.set(name, filter[name]);
  const text = query.toString();
  return text && `?${text}`;
}

const HOUR = 3_600_000;

const hoursFrom = (now: number, hours: number): string => new Date(now + hours * HOUR).toISOString();

/** What the API is asked for at this time. */
export function toQuery(filter: QueueFilter, now: number): CaseQuery {
  return {
    ...(filter.view === 'mine' && { mine: true }),
    ...(filter.view === 'overdue' && { overdue: true }),
    ...(filter.view === 'decided' && { status: 'decided,void' }),
    ...(filter.pipeline && { pipeline: filter.pipeline }),
    ...(filter.partner && { partner: filter.partner }),
    ...(filter.cause && { cause: filter.cause }),
    ...(filter.age && { openedBefore: hoursFrom(now, -Number(filter.age)) }),
    ...(filter.due && { dueBefore: hoursFrom(now, Number(filter.due)) }),
    ...(filter.run && { run: filter.run }),
    ...(filter.text.trim() && { text: filter.text.trim() }),
  };
}

export const isFiltered = (filter: QueueFilter): boolean => NAMES.some((name) => filter[name] !== '');
