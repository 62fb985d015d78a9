import type { CountsView } from '../../api/extra';
import { percent } from '../../charts/scale';
import { formatCount } from '../../ui';
import { OutcomeStack } from '../OutcomeStack';
import { outcomeLabel, outcomes } from '../outcomes';
import type { Run } from './load';

/** Where every row of the file ended. */
export function Outcomes({ run, counts }: { run: Run; counts: CountsView }) {
  const isPublished = run.state === 'archiving' || run.state === 'completed';
  return (
    <section class="card" aria-labelledby="run-outcomes">
      <h2 id="run-outcomes">{formatCount(counts.rows)} rows, each with one outcome</h2>
      <OutcomeStack counts={counts} />
      <dl class="run-outcomes">
        {outcomes(counts).map((one) => (
          <div key={one.outcome} class={one.rows === 0 ? 'is-zero' : ''} title={one.meaning}>
            <dt>
              <span class={`chart-swatch chart-fill-${one.outcome}`} aria-hidden="true" /> {outcomeLabel(one, isPublished)}
            </dt>
            <dd>
              {formatCount(one.rows)} <span class="muted">{counts.rows > 0 && percent(one.rows / counts.rows)}</span>
              {one.outcome === 'rejected' && counts.returned > 0 && <span class="muted"> ({formatCount(counts.returned)} sent back)</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
