import { Link } from 'wouter-preact';

import { formatCount, plural } from '../ui';
import type { Summary } from './summary';

interface Tile {
  readonly name: string;
  readonly value: number;
  readonly note: string;
  readonly href: string;
  /** How a number above zero looks. */
  readonly tone: 'calm' | 'warn' | 'bad';
}

function tiles({ inFlight, waiting, failed, deadLettered }: Summary, days: number): readonly Tile[] {
  return [
    { name: 'In flight', value: inFlight, note: 'files that Sluice works on', href: '/runs?view=inFlight', tone: 'calm' },
    {
      name: 'Waiting for people',
      value: waiting.cases,
      note: `${plural(waiting.rows, 'row')} of ${plural(waiting.runs, 'file')}`,
      href: '/reviews',
      tone: 'calm',
    },
    { name: 'Overdue', value: waiting.overdue, note: 'cases past their time', href: '/reviews?view=overdue', tone: 'bad' },
    { name: 'Failed', value: failed, note: `in the last ${days} days`, href: '/runs?view=failed', tone: 'bad' },
    { name: 'Stuck', value: deadLettered, note: 'until someone resends', href: '/runs?view=stuck', tone: 'bad' },
  ];
}

/** The numbers that one looks at first; each leads to what it counts. */
export function Tiles({ summary, days }: { summary: Summary; days: number }) {
  return (
    <ul class="tiles">
      {tiles(summary, days).map((tile) => (
        <li key={tile.name}>
          <Link href={tile.href} class={tile.value > 0 ? `tile tile-${tile.tone}` : 'tile'}>
            <span class="tile-name">{tile.name}</span>
            <span class="tile-value">{formatCount(tile.value)}</span>
            <span class="tile-note">{tile.note}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
