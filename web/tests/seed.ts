/** What the pages are shown with: made once for a stack, by the same API that partners use. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { casesOf, type Run, submit } from './api';
import { STATE_VARIABLE } from './connection';
import { flights, orders, unique } from './data';

export interface Seed {
  /** Held rows of two causes, and rejected ones. */
  readonly reviewing: Run;
  readonly reviewCase: string;
  readonly completed: Run;
  /** Refused as a whole: it is no CSV of this contract. */
  readonly refused: Run;
  /** Waits for two people. */
  readonly orders: Run;
}

export async function seed(): Promise<Seed> {
  const file = `${process.env[STATE_VARIABLE]}/seed.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Seed;
  const [completed, refused, waiting, reviewing] = await Promise.all([
    submit('skyline', `flights/${unique('2013-01')}.csv`, flights({ good: 400, bad: 12 }), ['completed']),
    submit('skyline', `flights/${unique('2013-02')}.csv`, 'carrier,flight\nUA,1\n', ['rejected']),
    submit('northwind', `orders/${unique('2024-05')}.ndjson`, orders({ good: 60, large: 6 }), ['reviewing']),
    submit('skyline', `flights/${unique('2013-03')}.csv`, flights({ good: 700, late: 24, fast: 9, bad: 17 }), ['reviewing']),
  ]);
  const items = await casesOf(reviewing, 2);
  const made: Seed = { reviewing, reviewCase: items.find((one) => one.cause === 'long-delay')!.caseId, completed, refused, orders: waiting };
  writeFileSync(file, JSON.stringify(made));
  return made;
}
