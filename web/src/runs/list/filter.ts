import type { RunSummary } from '../../api/extra';
import type { paths } from '../../api/schema';
import { IN_FLIGHT } from '../state';

export type View = 'all' | 'inFlight' | 'reviewing' | 'stuck' | 'quiet' | 'failed' | 'rejected' | 'completed' | 'cancelled';

export interface RunFilter {
  readonly view: View;
  readonly partner: string;
  readonly pipeline: string;
  /** Exact path, as the API takes it. */
  readonly path: string;
}

export const VIEWS: readonly { readonly id: View; readonly label: string }[] = [
  { id: 'all', label: 'All' },
  { id: 'inFlight', label: 'In flight' },
  { id: 'reviewing', label: 'Waiting for people' },
  { id: 'stuck', label: 'Stuck' },
  { id: 'quiet', label: 'Without progress' },
  { id: 'failed', label: 'Failed' },
  { id: 'rejected', label: 'Rejected' },
  { id: 'completed', label: 'Completed' },
  { id: 'cancelled', label: 'Cancelled' },
];

/** States of a view. A run can be stuck in any of them: after its end, what is left is its archive. */
const STATES: Readonly<Record<View, readonly string[]>> = {
  all: [],
  inFlight: IN_FLIGHT,
  reviewing: ['reviewing'],
  stuck: [],
  quiet: IN_FLIGHT,
  failed: ['failed'],
  rejected: ['rejected'],
  completed: ['completed'],
  cancelled: ['cancelled'],
};

export function fromSearch(search: string): RunFilter {
  const query = new URLSearchParams(search);
  const view = VIEWS.find((known) => known.id === query.get('view'))?.id ?? 'all';
  return { view, partner: query.get('partner') ?? '', pipeline: query.get('pipeline') ?? '', path: query.get('path') ?? '' };
}

/** The filter as the end of an address, so that a filtered list can be shared and reloaded. */
export function toSearch(filter: RunFilter): string {
  const query = new URLSearchParams();
  if (filter.view !== 'all') query.set('view', filter.view);
  for (const name of ['partner', 'pipeline', 'path'] as const) if (filter[name] !== '') query.set(name, filter[name]);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** What Sluice itself works on changes within minutes; a review may take days. */
const QUIET_MS = 15 * 60_000;

export type RunQuery = NonNullable<paths['/runs']['get']['parameters']['query']>;

/** What the API is asked for at this time. */
export function toQuery(filter: RunFilter, now: number): RunQuery {
  const states = STATES[filter.view];
  return {
    ...(states.length > 0 ? { state: states.join(',') } : {}),
    ...(filter.view === 'stuck' ? { deadLettered: true } : {}),
    ...(filter.view === 'quiet' ? { quietSince: new Date(now - QUIET_MS).toISOString() } : {}),
    ...(filter.partner ? { partner: filter.partner } : {}),
    ...(filter.pipeline ? { pipeline: filter.pipeline } : {}),
    ...(filter.path ? { path: filter.path } : {}),
  };
}

/** Whether a run that changed while the list is open belongs into it. */
export function matches(filter: RunFilter, run: RunSummary, now = Date.now()): boolean {
  const states = STATES[filter.view];
  if (states.length > 0 && !states.includes(run.state)) return false;
  if (filter.view === 'stuck' && !run.deadLetter) return false;
  if (filter.view === 'quiet' && Date.parse(run.updatedAt) > now - QUIET_MS) return false;
  return (
    (filter.partner === '' || run.partner === filter.partner) &&
    (filter.pipeline === '' || run.pipeline === filter.pipeline) &&
    (filter.path === '' || run.path === filter.path)
  );
}

/** Puts changed runs into a list that is sorted by time of creation, newest first; those that no longer belong there leave it. */
export function merge(filter: RunFilter, items: readonly RunSummary[], changed: readonly RunSummary[]): readonly RunSummary[] {
  const byId = new Map(changed.map((run) => [run.runId, run]));
  const kept = items.flatMap((item) => {
    const run = byId.get(item.runId) ?? item;
    byId.delete(item.runId);
    return matches(filter, run) ? [run] : [];
  });
  const oldest = kept.at(-1)?.createdAt ?? '';
  // What is older than the last loaded one comes with its own page.
  const added = [...byId.values()].filter((run) => matches(filter, run) && run.createdAt >= oldest);
  return added.length === 0 ? kept : [...added, ...kept].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
}
