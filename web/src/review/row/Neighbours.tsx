import type { HeldRow, RowExplanation } from '../../api/extra';
import { ErrorPanel, formatCount, useDebounced, useLoad } from '../../ui';
import { explainRow } from '../api';

/** So long one must rest on a row. */
const REST_MS = 200;

/** A row that is not there (the first has none before it) is no error. */
async function around(runId: string, row: number): Promise<(RowExplanation | null)[]> {
  const near = [row - 1, row + 1].map((at) =>
    at < 0
      ? Promise.resolve(null)
      : explainRow(runId, at).catch((error: { status?: number }) => {
          if (error.status === 404) return null;
          throw error;
        }),
  );
  return Promise.all(near);
}

function Line({ of }: { readonly of: Pick<RowExplanation, 'row' | 'line' | 'raw' | 'outcome'> & { readonly current?: boolean } }) {
  return (
    <tr class={of.current ? 'is-current' : undefined}>
      <th scope="row" class="number">
        {of.line === null ? `row ${formatCount(of.row + 1)}` : formatCount(of.line)}
      </th>
      <td class="mono">{of.raw ?? ''}</td>
      <td>{of.current ? 'this row' : of.outcome}</td>
    </tr>
  );
}

/** The row between the ones before and after it in the file. */
export function Neighbours({ runId, row }: { readonly runId: string; readonly row: HeldRow }) {
  // Who runs through the rows by keyboard asks for none of them.
  const at = useDebounced(row.row, REST_MS);
  const { data, error, reload } = useLoad(async () => (at === row.row ? around(runId, at) : null), [runId, at, row.row]);
  const [before, after] = data ?? [null, null];
  return (
    <section class="detail-part">
      <h3>In the file</h3>
      <p class="muted">
        Line {formatCount(row.line)}, row {formatCount(row.row + 1)}, byte {formatCount(row.offset)}
      </p>
      {error && <ErrorPanel error={error} title="The neighbours cannot be read" onRetry={reload} />}
      <div class="cells-scroll" tabIndex={0} role="region" aria-label="Neighbouring rows">
        <table class="cells neighbours">
          <thead class="visually-hidden">
            <tr>
              <th scope="col">Line</th>
              <th scope="col">Text</th>
              <th scope="col">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {before && <Line of={before} />}
            <Line of={{ row: row.row, line: row.line, raw: row.raw, outcome: 'held', current: true }} />
            {after && <Line of={after} />}
          </tbody>
        </table>
      </div>
    </section>
  );
}
