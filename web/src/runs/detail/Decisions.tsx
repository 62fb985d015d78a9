import { Link } from 'wouter-preact';

import type { CaseView, DecisionView, VerdictView } from '../../api/extra';
import { useChanges } from '../../api/live';
import { Badge, Button, Empty, ErrorPanel, plural, Skeleton, Time, usePages, type Tone } from '../../ui';
import { loadCases, type Run } from './load';

const STATUS: Readonly<Record<string, { readonly label: string; readonly tone: Tone }>> = {
  open: { label: 'open', tone: 'warn' },
  confirming: { label: 'needs a second person', tone: 'warn' },
  decided: { label: 'decided', tone: 'good' },
  void: { label: 'void', tone: 'neutral' },
};

const VERDICTS: Readonly<Record<VerdictView['verdict'], string>> = { approve: 'approved', reject: 'rejected', correct: 'corrected', return: 'sent back' };

/** 'approved 24, rejected 1' */
function inWords(decision: DecisionView, rows: number): string {
  const counts = new Map<string, number>();
  const add = (verdict: VerdictView, count: number) => {
    const word = VERDICTS[verdict.verdict];
    counts.set(word, (counts.get(word) ?? 0) + count);
  };
  const others = Object.values((decision.rows ?? {}) as Record<string, VerdictView>);
  add(decision.verdict, rows - others.length);
  for (const verdict of others) add(verdict, 1);
  return [...counts].filter(([, count]) => count > 0).map(([word, count]) => `${word} ${plural(count, 'row')}`).join(', ');
}

/** Who decided what about the rows that were held. */
export function Decisions({ run }: { run: Run }) {
  const cases = usePages((cursor) => loadCases(run.runId, cursor), [run.runId]);
  useChanges((changed) => {
    if (changed.some((one) => one.runId === run.runId)) cases.reload();
  });
  if (cases.error) return <ErrorPanel error={cases.error} title="The cases cannot be loaded" onRetry={cases.reload} />;
  if (cases.loading) return <Skeleton label="Loading cases" />;
  if (cases.items.length === 0) {
    return <Empty icon="review" title="No row was held">Every row had its outcome by the contract and the rules; there was nothing to decide.</Empty>;
  }
  return (
    <>
      <ul class="run-cases">
        {cases.items.map((one) => (
          <Case key={one.caseId} one={one} />
        ))}
      </ul>
      {!cases.complete && <Button onClick={cases.more}>Show more</Button>}
    </>
  );
}

function Case({ one }: { one: CaseView }) {
  const status = STATUS[one.status] ?? { label: one.status, tone: 'neutral' as const };
  return (
    <li class="card">
      <div class="run-case-head">
        <Link href={`/reviews/${encodeURIComponent(one.caseId)}`}>{one.title}</Link>
        <Badge tone={status.tone}>{status.label}</Badge>
      </div>
      <p class="muted">
        {plural(one.rows, 'row')} · {one.cause}
        {one.column && ` · ${one.column}`}
        {one.status === 'open' && (
          <>
            {' '}
            · due <Time at={one.dueAt} />
          </>
        )}
        {one.claimedBy && ` · ${one.claimedBy.name} works on it`}
      </p>
      {one.decisions.length > 0 && (
        <ol class="run-decisions">
          {one.decisions.map((decision) => (
            <li key={decision.at}>
              <strong>{decision.by.name}</strong> {inWords(decision, one.rows)} <Time at={decision.at} />
              {decision.comment && <q class="run-comment">{decision.comment}</q>}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}
