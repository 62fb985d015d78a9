import { Link } from 'wouter-preact';

import { toSearch } from '../runs/list/filter';
import { Badge, Empty, formatDuration, Time } from '../ui';
import type { Silence } from './summary';

/** Partners that should have sent and have not. */
export function Silent({ silent }: { silent: readonly Silence[] }) {
  return (
    <section class="card" aria-labelledby="silent-head">
      <h2 id="silent-head">Silent partners</h2>
      {silent.length === 0 && (
        <Empty icon="check" title="Nobody is late">A partner appears here when its last file is older than twice its usual gap.</Empty>
      )}
      <ul class="list">
        {silent.map((one) => (
          <li key={`${one.partner}/${one.pipeline}`}>
            <div class="list-main">
              <Link href={`/runs${toSearch({ view: 'all', partner: one.partner, pipeline: one.pipeline, path: '' })}`}>
                {one.partner} / {one.pipeline}
              </Link>
              <span class="muted">{one.usualSeconds < 60 ? 'usually several a minute' : `usually every ${formatDuration(one.usualSeconds * 1000)}`}</span>
            </div>
            <Badge tone="warn">
              last file <Time at={one.lastAt} />
            </Badge>
          </li>
        ))}
      </ul>
    </section>
  );
}
