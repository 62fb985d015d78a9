import { useRef, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import type { CaseView } from '../../api/extra';
import { Button, Dialog, ErrorPanel, plural, toast } from '../../ui';
import { decideMany, type BulkResult } from '../api';
import { causeName } from '../caseState';
import type { PlainVerdict } from '../case/verdicts';
import { useWords, Why } from '../decide/Why';

interface Props {
  readonly verdict: PlainVerdict;
  readonly cases: readonly CaseView[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const WORDS = {
  approve: { action: 'Approve', done: 'approved', effect: 'They are published as proposed.' },
  reject: { action: 'Reject', done: 'rejected', effect: 'They are not published; the partner sees why.' },
  return: { action: 'Send back', done: 'sent back', effect: 'They are not published; the partner is asked to repair them.' },
} as const satisfies Record<PlainVerdict, unknown>;

/** Most cases of one request, as the API has it. */
export const MOST_CASES = 100;

/** One verdict for several whole cases, after a look at which they are. */
export function BulkDialog({ verdict, cases, onClose, onDone }: Props) {
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [result, setResult] = useState<BulkResult | null>(null);
  const key = useRef(crypto.randomUUID());
  const words = WORDS[verdict];
  const rows = cases.reduce((sum, one) => sum + one.rows, 0);

  const why = useWords(comment, verdict === 'return');

  const send = async () => {
    if (!why.check()) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await decideMany(verdict, comment, cases, key.current);
      onDone();
      if (answer.problems.length === 0) {
        toast(`${plural(answer.decided.length, 'case')} ${words.done}.`);
        onClose();
      } else setResult(answer);
    } catch (thrown) {
      setError(asApiError(thrown));
    }
    setBusy(false);
  };

  if (result) return <BulkOutcome result={result} cases={cases} onClose={onClose} />;
  return (
    <Dialog
      title={`${words.action} ${plural(cases.length, 'case')}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep as they are</Button>
          <Button kind={verdict === 'reject' ? 'danger' : 'primary'} busy={busy} onClick={() => void send()} autofocus={!why.areNeeded}>
            {words.action} {plural(rows, 'row')}
          </Button>
        </>
      }
    >
      <p>
        All {plural(rows, 'row')} of these cases are {words.done}. {words.effect}
      </p>
      <ul class="bulk-cases">
        {cases.map((one) => (
          <li key={one.caseId}>
            <span>{one.title}</span> <span class="muted">{`${causeName(one)}, ${one.partner}, ${plural(one.rows, 'row')}`}</span>
          </li>
        ))}
      </ul>
      <Why words={why} reader="The partner" onChange={setComment} onSend={() => busy || void send()} />
      {error && <ErrorPanel error={error} title="Nothing is known to be decided" />}
    </Dialog>
  );
}

function BulkOutcome({ result, cases, onClose }: { readonly result: BulkResult; readonly cases: readonly CaseView[]; readonly onClose: () => void }) {
  const titles = new Map(cases.map((one) => [one.caseId, one.title]));
  return (
    <Dialog title={`${result.decided.length} decided, ${result.problems.length} not`} onClose={onClose} actions={<Button kind="primary" onClick={onClose}>Close</Button>}>
      <p>These were left as they are. Nothing of them was changed by you:</p>
      <ul class="bulk-cases">
        {result.problems.map((problem) => (
          <li key={problem.id}>
            <span>{titles.get(problem.id) ?? problem.id}</span> <span class="muted">{problem.detail}</span> <code>{problem.code}</code>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
