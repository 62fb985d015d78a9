import { useState } from 'preact/hooks';

import { formatCount, plural } from '../../ui';
import { causes, type Cause } from './causes';
import type { RunReport } from './report';
import './findings.css';

/** Causes that are shown before one asks for more. */
const FIRST = 12;

/** Problems of rejected and held rows by cause, as a chart whose bars open to samples. */
export function Problems({ report }: { report: RunReport }) {
  const [all, setAll] = useState(false);
  const found = causes(report.tally.problems);
  const most = found[0]?.count ?? 1;
  const warnings = Object.entries(report.tally.warnings);
  const repairs = Object.entries(report.tally.repairs);
  return (
    <section class="card findings" aria-labelledby="run-problems">
      <h2 id="run-problems">{found.length === 0 ? 'No problem found' : `Problems by cause (${found.length})`}</h2>
      {found.length === 0 && <p class="muted">Every row is as the contract and the rules want it.</p>}
      <ul class="causes">
        {(all ? found : found.slice(0, FIRST)).map((cause) => (
          <CauseBar key={cause.key} cause={cause} share={cause.count / most} />
        ))}
      </ul>
      {!all && found.length > FIRST && (
        <button type="button" class="link-button" onClick={() => setAll(true)}>
          Show {found.length - FIRST} more
        </button>
      )}
      {warnings.length > 0 && <Noted title="Warned of, but not held back" counts={warnings} />}
      {repairs.length > 0 && <Noted title="Repaired on the way" counts={repairs} />}
    </section>
  );
}

function CauseBar({ cause, share }: { cause: Cause; share: number }) {
  return (
    <li>
      <details class="cause">
        <summary>
          <span class="cause-where">{cause.where}</span>
          <span class="cause-label">{cause.label}</span>
          <code class="cause-code">{cause.code}</code>
          <span class="cause-count">{formatCount(cause.count)}</span>
          <svg class="cause-bar" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
            <rect x="0" y="0" width={Math.max(share * 1000, 4)} height="6" rx="2" />
          </svg>
        </summary>
        <ul class="cause-samples" aria-label={`The first ${plural(cause.samples.length, 'row')}`}>
          {cause.samples.map((sample) => (
            <li key={sample.row}>
              <span class="muted">row {formatCount(sample.row)}, line {formatCount(sample.line)}</span>{' '}
              {sample.value !== undefined && <code class="cause-value">{sample.value === '' ? '(empty)' : sample.value}</code>} {sample.message}
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}

function Noted({ title, counts }: { title: string; counts: readonly (readonly [string, number])[] }) {
  return (
    <>
      <h3>{title}</h3>
      <dl class="noted">
        {counts.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{formatCount(count)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
