/** Why rows were rejected or held: by cause, the most frequent first, with what to do and examples. */

import { formatCount, plural } from '../../ui';
import type { ProblemCount } from '../../api/extra';
import { reason } from './reasons';

export function Problems({ problems }: { readonly problems: readonly ProblemCount[] }) {
  if (problems.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="problems-title">
      <h2 id="problems-title">What was found</h2>
      <ul class="problems">
        {problems.map((problem) => (
          <li key={`${problem.code}/${problem.column ?? ''}/${problem.rule ?? ''}`}>
            <FoundProblem problem={problem} rest="All of them are in the rejected rows." />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface FoundProps {
  readonly problem: {
    readonly code: string;
    readonly column?: string | null | undefined;
    readonly rule?: string | null | undefined;
    readonly count: number;
    readonly samples: readonly Sample[];
  };
  /** Where the rows are that no sample shows. */
  readonly rest: string;
}

interface Sample {
  readonly row: number;
  readonly line: number;
  readonly value?: string | null | undefined;
  readonly message: string;
}

/** One kind of problem, with what to do and the first rows that have it. */
export function FoundProblem({ problem, rest }: FoundProps) {
  const { title, fix } = reason(problem.code);
  const where = problem.column ?? problem.rule;
  return (
    <details>
      <summary>
        <span class="problem-title">
          {title}
          {where && (
            <>
              {' '}
              <code>{where}</code>
            </>
          )}
        </span>
        <span class="number">{plural(problem.count, 'row')}</span>
      </summary>
      <p class="problem-fix">
        {fix} <code class="muted">{problem.code}</code>
      </p>
      <table class="samples">
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Value</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {problem.samples.map((sample) => (
            <tr key={sample.row}>
              <td class="number">{formatCount(sample.line)}</td>
              <td>{sample.value == null ? <span class="muted">–</span> : sample.value === '' ? <span class="muted">empty</span> : <code>{sample.value}</code>}</td>
              <td>{sample.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {problem.count > problem.samples.length && <p class="muted">The first {problem.samples.length}. {rest}</p>}
    </details>
  );
}
