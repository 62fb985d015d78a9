import { useEffect } from 'preact/hooks';
import { Link } from 'wouter-preact';

import { api, ok } from '../api/client';
import { Badge, Empty, ErrorPanel, plural, Skeleton, Time, useLoad } from '../ui';

const SHOWN = 6;

/** The cases that are due first; `at` is the time of the summary, so that both tell the same moment. */
export function Urgent({ at }: { at: string }) {
  const cases = useLoad(() => ok(api.GET('/reviews', { params: { query: { limit: SHOWN } } })), []);
  const now = Date.parse(at);
  useEffect(() => cases.reload(), [at]);
  return (
    <section class="card" aria-labelledby="urgent-head">
      <h2 id="urgent-head">Due first</h2>
      {cases.error && <ErrorPanel error={cases.error} title="The cases cannot be loaded" onRetry={cases.reload} />}
      {!cases.data && cases.loading && <Skeleton label="Loading cases" lines={4} />}
      {cases.data && cases.data.items.length === 0 && <Empty icon="check" title="Nothing waits for people">Every held row is decided.</Empty>}
      <ul class="list">
        {cases.data?.items.map((one) => (
          <li key={one.caseId}>
            <div class="list-main">
              <Link href={`/reviews/${encodeURIComponent(one.caseId)}`}>{one.title}</Link>
              <span class="muted">{one.partner} / {one.pipeline} · {plural(one.rows, 'row')}</span>
            </div>
            <Badge tone={Date.parse(one.dueAt) < now ? 'bad' : 'neutral'}>
              {Date.parse(one.dueAt) < now ? 'overdue since ' : 'due '}
              <Time at={one.dueAt} />
            </Badge>
          </li>
        ))}
      </ul>
    </section>
  );
}
