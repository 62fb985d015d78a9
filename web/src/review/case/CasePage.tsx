import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

import { type ApiError, asApiError } from '../../api/client';
import type { CaseView } from '../../api/extra';
import { useChanges } from '../../api/live';
import { hasRole, session } from '../../auth/session';
import { Button, Empty, ErrorPanel, Page, Skeleton, toast, useLoad, useShortcuts } from '../../ui';
import { assign, claim, getCase, getRun, release, undo } from '../api';
import { isTaken, isWaiting } from '../caseState';
import { AssignDialog } from '../decide/AssignDialog';
import { Comments } from '../decide/Comments';
import { Decisions } from '../decide/Decisions';
import { meet } from '../people';
import { neighbour, queueAddress, remaining } from '../queue/order';
import { CaseHead } from './CaseHead';
import { fromDecision } from './draft';
import { saveDraft } from './useDraft';
import { Workbench } from './Workbench';

/** A case: its facts for everybody on the staff, its rows for those who decide. */
export function CasePage({ caseId }: { readonly caseId: string }) {
  const [, navigate] = useLocation();
  const { data: of, error, reload, setData } = useLoad(() => getCase(caseId), [caseId]);
  const decided = of !== undefined && of.decisions.length > 0;
  const run = useLoad(async () => (decided ? getRun(of.runId) : undefined), [of?.runId, of?.decisions.length]);
  const [takenBack, setTakenBack] = useState(0);
  const [assigning, setAssigning] = useState(false);
  const [conflict, setConflict] = useState<ApiError | null>(null);
  const me = session.value;
  const reviewer = hasRole('Reviewer');

  useEffect(() => {
    if (of) meet([of]);
  }, [of]);
  useChanges((runs) => {
    if (!of || !runs.some((changed) => changed.runId === of.runId)) return;
    reload();
    run.reload();
  });

  const act = async (action: () => Promise<CaseView>, done: string) => {
    try {
      setData(await action());
      toast(done);
    } catch (thrown) {
      toast(asApiError(thrown).detail, 'bad');
      reload();
    }
  };
  const go = (step: 1 | -1) => {
    const next = neighbour(caseId, step);
    if (next) navigate(`/reviews/${next}`);
    else toast(step === 1 ? 'This is the last case of the queue.' : 'This is the first case of the queue.', 'info');
  };
  const takeBack = (seen: CaseView) =>
    act(async () => {
      const next = await undo(seen.caseId, seen.digest);
      keepAsDraft(seen);
      setTakenBack((times) => times + 1);
      return next;
    }, 'The decision is taken back. The case waits again.');

  const last = of?.decisions.at(-1);
  const waiting = of !== undefined && isWaiting(of);
  const mine = of?.claimedBy?.id === me?.oid;
  const canUndo = last !== undefined && run.data?.state === 'reviewing' && (last.by.id === me?.oid || hasRole('Operator'));
  const canClaim = reviewer && waiting && !of.claimedBy;
  const canRelease = waiting && of.claimedBy != null && (mine || hasRole('Operator'));
  const canAssign = waiting && hasRole('Reviewer', 'Operator') && (!isTaken(of, me?.oid) || hasRole('Operator'));

  useShortcuts({
    n: { label: 'Next case of the queue', run: () => go(1) },
    p: { label: 'Previous case of the queue', run: () => go(-1) },
    t: { label: 'Take the case', run: () => void act(() => claim(caseId), 'The case is yours.'), off: !canClaim },
    l: { label: 'Release the case', run: () => void act(() => release(caseId), 'The case is free again.'), off: !canRelease },
    g: { label: 'Assign the case', run: () => setAssigning(true), off: !canAssign },
    m: { label: 'Comment', run: () => document.querySelector<HTMLElement>('textarea[name=comment]')?.focus(), off: !reviewer },
    U: { label: 'Undo the decision that was sent', run: () => of && void takeBack(of), off: !canUndo },
    Escape: { label: 'Back to the queue', run: () => navigate(queueAddress()) },
  });

  const back = { href: queueAddress(), label: 'Reviews' };
  if (!of) {
    return (
      <Page title="Case" back={back}>
        {error ? <ErrorPanel error={error} title="The case cannot be shown" onRetry={reload} /> : <Skeleton lines={10} />}
      </Page>
    );
  }

  const sent = (next: CaseView) => {
    setConflict(null);
    setData(next);
    const following = neighbour(caseId, 1);
    const text = next.status === 'confirming' ? 'Sent. A second person must confirm it.' : 'Decided.';
    toast(text, 'good', {
      label: 'Undo',
      run: () => {
        undo(next.caseId, next.digest).then(
          () => {
            keepAsDraft(next);
            navigate(`/reviews/${caseId}`);
          },
          (thrown: unknown) => toast(asApiError(thrown).detail, 'bad'),
        );
      },
    });
    navigate(following ? `/reviews/${following}` : queueAddress());
  };

  const left = remaining(caseId);
  return (
    <Page
      title={of.title}
      back={back}
      fill
      actions={
        <>
          {canClaim && (
            <Button size="small" shortcut="t" onClick={() => void act(() => claim(caseId), 'The case is yours.')}>
              Take
            </Button>
          )}
          {canRelease && (
            <Button size="small" shortcut="l" onClick={() => void act(() => release(caseId), 'The case is free again.')}>
              Release
            </Button>
          )}
          {canAssign && !mine && reviewer && of.claimedBy && (
            <Button size="small" onClick={() => me && void act(() => assign(caseId, me.oid, me.name), 'The case is yours.')}>
              Take over
            </Button>
          )}
          {canAssign && (
            <Button size="small" shortcut="g" onClick={() => setAssigning(true)}>
              Assign
            </Button>
          )}
          {canUndo && (
            <Button size="small" icon="undo" shortcut="U" onClick={() => void takeBack(of)}>
              Undo decision
            </Button>
          )}
          <Button size="small" kind="quiet" shortcut="n" onClick={() => go(1)} title={left > 0 ? `${left} more in the queue` : 'Last of the queue'}>
            Next case
          </Button>
        </>
      }
    >
      <CaseHead of={of} />
      {error && <ErrorPanel error={error} title="The case could not be read again; you see it as it was" onRetry={reload} />}
      {reviewer ? (
        <Workbench
          key={takenBack}
          of={of}
          conflict={conflict}
          onSent={sent}
          onConflict={(failure) => {
            setConflict(failure);
            reload();
          }}
          decisions={<Decisions of={of} />}
          comments={<Comments of={of} canComment={reviewer} onChange={setData} />}
        />
      ) : (
        <>
          <Empty icon="info" title="Only reviewers see the values of rows">
            You see what the case is about, who works on it and what was decided.
          </Empty>
          <Decisions of={of} />
          <Comments of={of} canComment={hasRole('Operator')} onChange={setData} />
        </>
      )}
      {assigning && <AssignDialog of={of} onChange={setData} onClose={() => setAssigning(false)} />}
    </Page>
  );
}

/** What was taken back is the draft to go on from, if it was this person's. */
function keepAsDraft(of: CaseView): void {
  const last = of.decisions.at(-1);
  if (last && last.by.id === session.value?.oid) saveDraft(of.caseId, fromDecision(last, of.digest));
}
