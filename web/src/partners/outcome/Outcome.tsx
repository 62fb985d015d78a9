/** Where the rows ended: every row of the file is in exactly one part. */

import type { CountsView } from '../../api/extra';
import { formatCount } from '../../ui';

const PARTS = [
  ['published', 'Accepted'],
  ['corrected', 'Accepted after review'],
  ['held', 'Waiting for a person'],
  ['rejected', 'Rejected'],
  ['filtered', 'Left out by a filter'],
  ['duplicate', 'Repeats left out'],
] as const;

export function Outcome({ counts }: { readonly counts: CountsView }) {
  const parts = PARTS.filter(([key]) => counts[key] > 0);
  return (
    <section class="panel" aria-labelledby="outcome-title">
      <h2 id="outcome-title">{formatCount(counts.rows)} rows</h2>
      <div class="outcome-bar" aria-hidden="true">
        {parts.map(([key]) => (
          <div key={key} class={`outcome-part outcome-${key}`} style={{ flexGrow: counts[key] }} />
        ))}
      </div>
      <dl class="outcome-legend">
        {parts.map(([key, label]) => (
          <div key={key}>
            <dt>
              <span class={`outcome-dot outcome-${key}`} aria-hidden="true" />
              {label}
            </dt>
            <dd>
              <strong class="number">{formatCount(counts[key])}</strong> <span class="muted">{share(counts[key], counts.rows)}</span>
              {key === 'rejected' && counts.returned > 0 && <span class="muted">, {formatCount(counts.returned)} of them sent back to you</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** One row of a million is not nothing. */
function share(part: number, whole: number): string {
  const percent = (part / whole) * 100;
  return percent < 0.1 ? 'under 0.1 %' : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}
