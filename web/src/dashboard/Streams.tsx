import { Link } from 'wouter-preact';

import { percent } from '../charts/scale';
import { Spark } from '../charts/Spark';
import { Bytes, Count } from '../ui';
import { toSearch } from '../runs/list/filter';
import type { Stream } from './series';

/** A day with more rejected rows than this share stands out. */
const BAD = 0.05;

/** One line a partner and pipeline. */
export function Streams({ streams }: { streams: readonly Stream[] }) {
  if (streams.length === 0) return null;
  return (
    <section class="card streams" aria-labelledby="streams-head">
      <h2 id="streams-head">By partner and pipeline</h2>
      <div class="streams-scroll" tabIndex={0} role="region" aria-label="By partner and pipeline, as a table">
        <table class="streams-table">
          <thead>
            <tr>
              <th scope="col">Partner</th>
              <th scope="col">Pipeline</th>
              <th scope="col">Rows a day</th>
              <th scope="col" class="is-end">Files</th>
              <th scope="col" class="is-end">Size</th>
              <th scope="col" class="is-end">Rows</th>
              <th scope="col" class="is-end">Rejected</th>
            </tr>
          </thead>
          <tbody>
            {streams.map((stream) => (
              <Line key={`${stream.partner}/${stream.pipeline}`} stream={stream} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Line({ stream }: { stream: Stream }) {
  const rate = stream.rows === 0 ? 0 : stream.rejected / stream.rows;
  const bars = stream.bars.map((bar) => {
    const rows = bar.accepted + bar.rejected;
    return { key: bar.day, value: rows, bad: rows > 0 && bar.rejected / rows > BAD };
  });
  const href = `/runs${toSearch({ view: 'all', partner: stream.partner, pipeline: stream.pipeline ?? '', path: '' })}`;
  return (
    <tr>
      <th scope="row">
        <Link href={href}>{stream.partner}</Link>
      </th>
      <td>{stream.pipeline ?? <span class="muted">no pipeline</span>}</td>
      <td>
        <Spark bars={bars} label={`Rows on each of ${bars.length} days; days with over ${percent(BAD)} rejected: ${bars.filter((bar) => bar.bad).length}`} />
      </td>
      <td class="is-end"><Count value={stream.runs} /></td>
      <td class="is-end"><Bytes value={stream.bytes} /></td>
      <td class="is-end"><Count value={stream.rows} /></td>
      <td class={rate > BAD ? 'is-end streams-bad' : 'is-end'}>{percent(rate)}</td>
    </tr>
  );
}
