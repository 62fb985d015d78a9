import { useState } from 'preact/hooks';

import { DayBars } from '../charts/DayBars';
import { Legend } from '../charts/Legend';
import { percent } from '../charts/scale';
import { Empty, formatBytes, formatCount, plural, Select } from '../ui';
import { dayBars, type Stream } from './series';
import type { DayCount } from './summary';

interface Props {
  readonly counts: readonly DayCount[];
  readonly days: readonly string[];
  readonly streams: readonly Stream[];
}

const nameOf = (stream: Pick<DayCount, 'partner' | 'pipeline'>) => `${stream.partner} / ${stream.pipeline ?? 'no pipeline'}`;

/** Rows and reject rate over time, of all or of one partner's pipeline. */
export function Volume({ counts, days, streams }: Props) {
  const [chosen, setChosen] = useState('');
  const shown = streams.some((stream) => nameOf(stream) === chosen) ? counts.filter((count) => nameOf(count) === chosen) : counts;
  const rows = shown.reduce((sum, count) => sum + count.rows, 0);
  const rejected = shown.reduce((sum, count) => sum + count.rejected, 0);
  const bytes = shown.reduce((sum, count) => sum + count.bytes, 0);
  const runs = shown.reduce((sum, count) => sum + count.runs, 0);
  const rate = percent(rows === 0 ? 0 : rejected / rows);
  return (
    <section class="card volume" aria-labelledby="volume-head">
      <header class="volume-head">
        <div>
          <h2 id="volume-head">Volume and reject rate</h2>
          <p class="muted">
            {plural(runs, 'file')}, {formatBytes(bytes)}, {plural(rows, 'row')}, {formatCount(rejected)} rejected ({rate})
          </p>
        </div>
        <Select
          label="Partner and pipeline"
          hideLabel
          value={chosen}
          options={[{ value: '', label: 'All partners' }, ...streams.map((stream) => ({ value: nameOf(stream), label: nameOf(stream) }))]}
          onChange={setChosen}
        />
      </header>
      {runs === 0 ? (
        <Empty icon="upload" title="No file came in this time">Volume and reject rate appear with the first file.</Empty>
      ) : (
        <>
          <DayBars bars={dayBars(shown, days)} label={`Rows a day: ${formatCount(rows)} in all, ${rate} of them rejected`} />
          <Legend items={[{ name: 'accepted', label: 'Rows not rejected' }, { name: 'rejected', label: 'Rejected rows; the line is their share of the day' }]} />
        </>
      )}
    </section>
  );
}
