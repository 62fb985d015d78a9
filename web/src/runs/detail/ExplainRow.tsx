import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';

import { asApiError, type ApiError } from '../../api/client';
import { Badge, Button, ErrorPanel, Field, formatCount, type Tone } from '../../ui';
import { explainRow, type RowOfRun, type Run } from './load';
import './findings.css';

const TONES: Readonly<Record<RowOfRun['outcome'], Tone>> = {
  published: 'good',
  corrected: 'good',
  held: 'warn',
  rejected: 'bad',
  filtered: 'neutral',
  duplicate: 'neutral',
};

/** One row by its number: as it came, where it ended, and why. */
export function ExplainRow({ run }: { run: Run }) {
  const [number, setNumber] = useState('');
  const [found, setFound] = useState<RowOfRun | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const rows = run.counts?.rows;
  const row = /^\d+$/.test(number) ? Number(number) : null;
  const isOutside = row !== null && rows != null && row >= rows;
  const explain = async (event: Event) => {
    event.preventDefault();
    if (row === null) return;
    setBusy(true);
    setError(null);
    try {
      setFound(await explainRow(run.runId, row));
    } catch (thrown) {
      setFound(null);
      setError(asApiError(thrown));
    }
    setBusy(false);
  };
  return (
    <div class="explain">
      <form class="explain-form" onSubmit={(event) => void explain(event)}>
        <Field
          label="Number of the row, counted from 0"
          inputMode="numeric"
          value={number}
          onInput={(event) => setNumber(event.currentTarget.value.trim())}
          {...(isOutside ? { error: `The file has rows 0 to ${formatCount(rows! - 1)}` } : {})}
        />
        <Button type="submit" kind="primary" busy={busy} disabled={row === null || isOutside}>Explain</Button>
      </form>
      {error && <ErrorPanel error={error} title="The row cannot be explained" />}
      {found && <Explanation row={found} />}
    </div>
  );
}

function Explanation({ row }: { row: RowOfRun }) {
  return (
    <section class="card" aria-live="polite" aria-label={`Row ${row.row}`}>
      <h2>
        Row {formatCount(row.row)} <Badge tone={TONES[row.outcome]}>{row.outcome}</Badge>
      </h2>
      <p class="muted">
        {row.line !== null && `Line ${formatCount(row.line)}`}
        {row.offset !== null && `, byte ${formatCount(row.offset)}`}, chunk {row.chunk + 1}
      </p>
      {row.raw !== null && <pre class="raw" tabIndex={0} aria-label="As it came">{row.raw}</pre>}
      {row.problems.length > 0 && (
        <ul class="cause-samples">
          {row.problems.map((problem, i) => (
            <li key={i}>
              <code>{problem.code}</code> {problem.rule ?? problem.column ?? ''}{' '}
              {problem.value !== undefined && <code class="cause-value">{problem.value === '' ? '(empty)' : problem.value}</code>} {problem.message}
            </li>
          ))}
        </ul>
      )}
      {row.problems.length === 0 && <p>No rule and no problem applied to it.</p>}
      {row.warnings.length > 0 && <p>Warned of by: {row.warnings.join(', ')}</p>}
      {row.caseId !== null && (
        <p>
          Held in the case <Link href={`/reviews/${encodeURIComponent(row.caseId)}`}>{row.caseId}</Link>.
        </p>
      )}
      {row.tableVersion !== null && row.files.length > 0 && (
        <p>
          Published in version {row.tableVersion} of the table {row.table}: <code class="hash">{row.files.map((file) => `${file.container}/${file.path}`).join(', ')}</code>
        </p>
      )}
    </section>
  );
}
