import type { ApiError } from '../../api/client';
import type { EventView } from '../../api/extra';
import { ErrorPanel } from '../../ui';
import { now } from '../../ui/clock';
import { Facts } from './Facts';
import type { Run } from './load';
import { Outcomes } from './Outcomes';
import { Problems } from './Problems';
import { Progress } from './Progress';
import { Quality } from './Quality';
import type { RunReport } from './report';
import { Timeline } from './Timeline';

interface Props {
  readonly run: Run;
  readonly events: readonly EventView[];
  readonly report: RunReport | null;
  readonly error: ApiError | null;
}

export function Overview({ run, events, report, error }: Props) {
  // The clock of this machine may be behind that of the server: no step ends before it began.
  const at = Math.max(now.value, Date.parse(run.updatedAt));
  return (
    <div class="run-overview">
      {error && <ErrorPanel error={error} title="Part of the run cannot be shown" />}
      {run.counts && <Outcomes run={run} counts={run.counts} />}
      {run.state === 'transforming' && <Progress run={run} />}
      <section class="card" aria-labelledby="run-timeline">
        <h2 id="run-timeline">Timeline</h2>
        <Timeline run={run} events={events} now={at} />
      </section>
      <Facts run={run} events={events} report={report} now={at} />
      {report && <Problems report={report} />}
      {report && <Quality report={report} />}
    </div>
  );
}
