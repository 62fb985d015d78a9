import { Stack } from '../../charts/Stack';
import { Legend } from '../../charts/Legend';
import { Problems } from '../../runs/detail/Problems';
import { Quality } from '../../runs/detail/Quality';
import type { Totals } from '../../runs/detail/report';
import { formatCount } from '../../ui';
import { Refusals } from './Refusals';
import type { DryRun } from './trial';

/** A dry run tells rows that are ready to be published as accepted. */
const ENDS: readonly { readonly name: string; readonly label: string; readonly of: (totals: Totals) => number }[] = [
  { name: 'published', label: 'accepted', of: (totals) => totals.accepted },
  { name: 'held', label: 'held', of: (totals) => totals.held },
  { name: 'rejected', label: 'rejected', of: (totals) => totals.rejected },
  { name: 'filtered', label: 'filtered', of: (totals) => totals.filtered },
  { name: 'duplicate', label: 'duplicate', of: (totals) => totals.duplicate },
];

/** What a dry run found: where the rows would go and why. */
export function DryRunView({ found }: { found: DryRun }) {
  const { totals } = found.tally;
  const parts = ENDS.map(({ name, label, of }) => ({ name, label: `${formatCount(of(totals))} ${label}`, value: of(totals) }));
  return (
    <div class="trial-result">
      <h3>{formatCount(totals.rows)} rows tried{found.truncated && ', the beginning of the file'}</h3>
      <Refusals refusals={found.refusals} />
      <Stack parts={parts} label={parts.map((part) => part.label).join(', ')} />
      <Legend items={parts} />
      <Problems report={{ tally: found.tally, verdicts: found.verdicts }} />
      <Quality report={found} />
      {found.rejected !== '' && (
        <details>
          <summary>The first rejected rows, as the partner would get them</summary>
          <pre class="raw" tabIndex={0} aria-label="Rejected rows">{found.rejected}</pre>
        </details>
      )}
    </div>
  );
}
