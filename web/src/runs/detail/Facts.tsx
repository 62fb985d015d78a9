import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';

import type { EventView } from '../../api/extra';
import { Bytes, formatBytes, formatCount, formatDuration, formatExact } from '../../ui';
import type { Run } from './load';
import type { RunReport } from './report';
import { steps, workedMilliseconds } from './timeline';

interface Props {
  readonly run: Run;
  readonly events: readonly EventView[];
  readonly report: RunReport | null;
  readonly now: number;
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const perSecond = (amount: number, milliseconds: number) => amount / (Math.max(milliseconds, 1) / 1000);

/** What the run is pinned to, how fast it was, and what proves it. */
export function Facts({ run, events, report, now }: Props) {
  const all = steps(run, events);
  const worked = workedMilliseconds(all, now);
  const transform = all.find((step) => step.name === 'transform');
  const rows = report?.tally.totals.rows ?? run.counts?.rows;
  // Before all rows are checked, a speed would tell of the easier half only.
  const isTimed = all.some((step) => step.name === 'gather' && step.to !== null) && worked > 0;
  const transformed = transform?.from != null && transform.to !== null ? transform.to - transform.from : null;
  const parameters = Object.entries(run.parameters as Record<string, unknown>);
  return (
    <section class="card" aria-labelledby="run-facts">
      <h2 id="run-facts">Facts</h2>
      <dl class="facts">
        <Fact name="Partner">{run.partner}</Fact>
        <Fact name="Pipeline">{run.pipeline ? <PipelineName run={run} name={run.pipeline} /> : 'none takes this file'}</Fact>
        <Fact name="Received">{formatExact(run.createdAt)}</Fact>
        <Fact name="Last change">{formatExact(run.updatedAt)}</Fact>
        <Fact name="Size"><Bytes value={run.size} /></Fact>
        {events.length > 0 && <Fact name="Work of Sluice">{formatDuration(worked)}</Fact>}
        {isTimed && <Fact name="Throughput">{formatBytes(perSecond(run.size, worked))}/s{rows != null && rows > 0 && `, ${formatCount(Math.round(perSecond(rows, worked)))} rows/s`}</Fact>}
        {transformed !== null && rows != null && rows > 0 && (
          <Fact name="Checking alone">{formatBytes(perSecond(run.size, transformed))}/s, {formatCount(Math.round(perSecond(rows, transformed)))} rows/s</Fact>
        )}
        <Fact name="Attempt">{run.attempt}</Fact>
        {run.engine && <Fact name="Engine">{run.engine}</Fact>}
        {parameters.length > 0 && (
          <Fact name="Parameters">
            {parameters.map(([name, value]) => (
              <span key={name} class="parameter"><code>{name}</code> {String(value)}</span>
            ))}
          </Fact>
        )}
        <Fact name="Submission"><code>{run.submissionId}</code></Fact>
        {run.blake3 && <Fact name="BLAKE3"><code class="hash">{run.blake3}</code></Fact>}
        {run.sha256 && <Fact name="SHA-256"><code class="hash">{run.sha256}</code></Fact>}
      </dl>
    </section>
  );
}

function PipelineName({ run, name }: { run: Run; name: string }) {
  const version = run.pipelineVersion == null ? '' : `, version ${run.pipelineVersion}`;
  return (
    <>
      <Link href={`/pipelines/${encodeURIComponent(name)}`}>{name}</Link>
      {version}
    </>
  );
}
