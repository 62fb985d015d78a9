import type { DayBar } from '../charts/DayBars';
import type { DayCount } from './summary';

const DAY = 86_400_000;

/** The last `count` days up to the one of `at`, oldest first, as ISO 8601 dates in UTC. */
export function lastDays(at: string, count: number): readonly string[] {
  const end = Date.parse(`${at.slice(0, 10)}T00:00:00Z`);
  return Array.from({ length: count }, (_, i) => new Date(end - (count - 1 - i) * DAY).toISOString().slice(0, 10));
}

/** Rows a day over all partners and pipelines that are given; days without a file are there, too. */
export function dayBars(counts: readonly DayCount[], days: readonly string[]): readonly DayBar[] {
  const found = new Map(days.map((day) => [day, { rows: 0, rejected: 0 }]));
  for (const count of counts) {
    const sum = found.get(count.day);
    if (!sum) continue;
    sum.rows += count.rows;
    sum.rejected += count.rejected;
  }
  return [...found].map(([day, sum]) => ({ day, accepted: sum.rows - sum.rejected, rejected: sum.rejected }));
}

export interface Stream {
  readonly partner: string;
  readonly pipeline: string | null;
  readonly runs: number;
  readonly rows: number;
  readonly rejected: number;
  readonly bytes: number;
  readonly bars: readonly DayBar[];
}

/** One line a partner and pipeline, the largest first. */
export function streams(counts: readonly DayCount[], days: readonly string[]): readonly Stream[] {
  const groups = new Map<string, DayCount[]>();
  for (const count of counts) {
    const key = `${count.partner}\n${count.pipeline ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), count]);
  }
  const sum = (group: readonly DayCount[], field: 'runs' | 'rows' | 'rejected' | 'bytes') => group.reduce((all, count) => all + count[field], 0);
  return [...groups.values()]
    .map((group) => ({
      partner: group[0]!.partner,
      pipeline: group[0]!.pipeline ?? null,
      runs: sum(group, 'runs'),
      rows: sum(group, 'rows'),
      rejected: sum(group, 'rejected'),
      bytes: sum(group, 'bytes'),
      bars: dayBars(group, days),
    }))
    .sort((a, b) => b.rows - a.rows || a.partner.localeCompare(b.partner) || (a.pipeline ?? '').localeCompare(b.pipeline ?? ''));
}
