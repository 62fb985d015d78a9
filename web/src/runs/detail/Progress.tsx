import { useEffect } from 'preact/hooks';

import { formatCount, Meter, useLoad } from '../../ui';
import { loadChunks, type Run } from './load';

/** Chunks that are counted at most: beyond that the timeline must do. */
const MOST_PAGES = 10;
/** A chunk that is done changes nothing of its run: the feed does not tell of it. */
const EVERY = 2000;

/** Chunks that are checked so far, and their rows. */
async function progress(run: string): Promise<{ chunks: number; rows: number }> {
  let cursor: string | undefined;
  const sum = { chunks: 0, rows: 0 };
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items, next } = await loadChunks(run, cursor);
    sum.chunks += items.length;
    sum.rows += items.reduce((all, chunk) => all + chunk.tally.totals.rows, 0);
    if (!next) break;
    cursor = next;
  }
  return sum;
}

/** How far the rows are checked. */
export function Progress({ run }: { run: Run }) {
  const done = useLoad(() => progress(run.runId), [run.runId]);
  useEffect(() => {
    const timer = setInterval(done.reload, EVERY);
    return () => clearInterval(timer);
  }, [done.reload]);
  if (!done.data || run.chunks === 0) return null;
  return (
    <section class="card" aria-labelledby="run-progress">
      <h2 id="run-progress">
        {formatCount(done.data.rows)} rows checked, {done.data.chunks} of {run.chunks} chunks
      </h2>
      <Meter label="Chunks that are checked" value={done.data.chunks} max={run.chunks} />
    </section>
  );
}
