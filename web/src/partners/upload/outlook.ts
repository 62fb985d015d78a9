import type { components } from '../../api/schema';

export type Trial = components['schemas']['FileDryRunView'];

export type Outlook = 'good' | 'mixed' | 'bad';

/** What the trial lets one expect of the file. */
export function outlook({ refusals, accepted, rejected, held, rows }: Trial): Outlook {
  if (refusals.length > 0 || (rows > 0 && rejected === rows)) return 'bad';
  return rejected + held > 0 || accepted === 0 ? 'mixed' : 'good';
}
