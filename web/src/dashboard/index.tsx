import { useEffect, useRef, useState } from 'preact/hooks';

import { online, useChanges } from '../api/live';
import { Badge, ErrorPanel, Page, Select, Skeleton, Time, useLoad } from '../ui';
import './dashboard.css';
import { lastDays, streams } from './series';
import { Silent } from './Silent';
import { Streams } from './Streams';
import { loadSummary } from './summary';
import { Tiles } from './Tiles';
import { Urgent } from './Urgent';
import { Volume } from './Volume';

const PERIODS = [7, 14, 30, 90].map((days) => ({ value: String(days), label: `Last ${days} days` }));
/** The summary is worked out from all runs of the period: busy times must not ask for it at every step of every run. */
const EVERY = 5000;

/** What runs, what waits, what failed, what came in, and who is silent. */
export default function Dashboard() {
  const [days, setDays] = useState('14');
  const summary = useLoad(() => loadSummary(Number(days)), [days]);
  useChanges(useThrottled(summary.reload));
  const { data } = summary;
  const period = data ? lastDays(data.at, Number(days)) : [];
  const all = data ? streams(data.days, period) : [];
  return (
    <Page
      title="Dashboard"
      actions={
        <>
          {data && (
            <span class="muted dashboard-at">
              <Badge tone={online.value ? 'good' : 'warn'}>{online.value ? 'Live' : 'No connection'}</Badge> as of <Time at={data.at} />
            </span>
          )}
          <Select label="Period" hideLabel value={days} options={PERIODS} onChange={setDays} />
        </>
      }
    >
      {summary.error && <ErrorPanel error={summary.error} title="The summary cannot be loaded" onRetry={summary.reload} />}
      {!data && summary.loading && <Skeleton label="Loading the summary" lines={10} />}
      {data && (
        <>
          <Tiles summary={data} days={Number(days)} />
          <Volume counts={data.days} days={period} streams={all} />
          <Streams streams={all} />
          <div class="dashboard-pair">
            <Urgent at={data.at} />
            <Silent silent={data.silent} />
          </div>
        </>
      )}
    </Page>
  );
}

/** Calls at once, then at most every few seconds, with one call after the last. */
function useThrottled(run: () => void): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const last = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      last.current = Date.now();
      run();
    }, Math.max(0, last.current + EVERY - Date.now()));
  };
}
