import type { ProblemCount } from '../../api/extra';

export interface Cause {
  readonly key: string;
  /** What a person reads: the message, without what differs from row to row. */
  readonly label: string;
  readonly where: string;
  readonly code: string;
  readonly count: number;
  readonly samples: ProblemCount['samples'];
}

/** Messages of one kind differ in the values that they name; the first one stands for all. */
function describe(problem: ProblemCount): string {
  return problem.samples[0]?.message ?? problem.code;
}

/** Problems by cause, the most frequent first. */
export function causes(problems: readonly ProblemCount[]): readonly Cause[] {
  return problems
    .map((problem) => ({
      key: [problem.code, problem.column ?? '', problem.rule ?? ''].join(' '),
      label: describe(problem),
      where: problem.rule ?? problem.column ?? 'whole row',
      code: problem.code,
      count: problem.count,
      samples: problem.samples,
    }))
    .sort((a, b) => b.count - a.count || a.key.localeCompare(b.key));
}
