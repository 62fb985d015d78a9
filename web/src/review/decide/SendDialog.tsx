import { useRef, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import type { CaseView, HeldRow, VerdictView } from '../../api/extra';
import { session } from '../../auth/session';
import { Badge, Button, Dialog, ErrorPanel, formatCount, plural } from '../../ui';
import { decide, getCase } from '../api';
import { isSame, tally, toDecision, verdictOf, type Draft } from '../case/draft';
import { mainProblem } from '../case/groups';
import { verdictTone, verdictWords } from '../case/verdicts';
import { useWords, Why } from './Why';

interface Props {
  readonly of: CaseView;
  readonly draft: Draft;
  readonly rows: readonly HeldRow[];
  readonly onComment: (comment: string) => void;
  readonly onSent: (of: CaseView) => void;
  /** Somebody was faster, or the rows changed: the page tells who did what. */
  readonly onConflict: (error: ApiError) => void;
  readonly onClose: () => void;
}

const EFFECTS: readonly (readonly [VerdictView['verdict'], string])[] = [
  ['approve', 'published as proposed'],
  ['correct', 'published with new values, after contract and rules have passed them'],
  ['reject', 'rejected: not published, and the partner sees their reasons'],
  ['return', 'sent back to the partner, who is asked to repair them'],
];

/** Rows of each kind that are shown before sending. */
const SAMPLE = 5;

/** Exactly what a decision does, before it is done. */
export function SendDialog({ of, draft, rows, onComment, onSent, onConflict, onClose }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const key = useRef({ body: '', id: '' });
  const counts = tally(draft, of.rows);
  const first = of.status === 'confirming' ? of.decisions.at(-1) : undefined;
  const own = toDecision(draft, of.rows);
  const differs = first !== undefined && !isSame(first, own);
  // The API compares the second decision with the first as they are written.
  const body = first && !differs ? { ...own, verdict: first.verdict, rows: first.rows } : own;
  const words = useWords(draft.comment, counts.return > 0);

  const send = async () => {
    if (!words.check()) return;
    setBusy(true);
    setError(null);
    // The same decision sent twice is one; another one is another.
    const text = JSON.stringify(body);
    if (key.current.body !== text) key.current = { body: text, id: crypto.randomUUID() };
    try {
      onSent(await decide(of.caseId, body, key.current.id));
    } catch (thrown) {
      const failure = asApiError(thrown);
      setBusy(false);
      if (!failure.isConflict || failure.code === 'W0411') return setError(failure);
      // It may be our own decision that was faster: its answer was lost on the way.
      const now = await getCase(of.caseId).catch(() => null);
      const last = now?.decisions.at(-1);
      if (now && last && last.by.id === session.value?.oid && isSame(last, body)) onSent(now);
      else onConflict(failure);
    }
  };

  return (
    <Dialog
      wide
      title={`Decide ${plural(of.rows, 'row')}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button kind="primary" icon="check" busy={busy} onClick={() => void send()} autofocus={!words.areNeeded}>
            {of.approvers > 1 && !first ? 'Send for a second approval' : 'Send the decision'}
          </Button>
        </>
      }
    >
      {EFFECTS.filter(([kind]) => counts[kind] > 0).map(([kind, effect]) => (
        <section key={kind}>
          <h3>
            {plural(counts[kind], 'row')} {counts[kind] === 1 ? 'is' : 'are'} {effect}
          </h3>
          <Sample rows={rows.filter((row) => verdictOf(draft, row.row)?.verdict === kind).slice(0, SAMPLE)} draft={draft} more={counts[kind] - SAMPLE} />
        </section>
      ))}
      {of.approvers > 1 && !first && <p class="notice">A second person must decide the same before anything is published.</p>}
      {differs && (
        <p class="notice notice-warn">
          This is not what {first.by.name} decided first. Sluice takes only the same decision as the second one; whoever decided first can
          change it.
        </p>
      )}
      <Why words={words} reader={of.partner} onChange={onComment} onSend={() => busy || void send()} />
      {error && <ErrorPanel error={error} title={error.isOffline ? 'No answer: your draft is kept, send it again' : 'Not decided: nothing was changed, your draft is kept'} />}
    </Dialog>
  );
}

function Sample({ rows, draft, more }: { readonly rows: readonly HeldRow[]; readonly draft: Draft; readonly more: number }) {
  return (
    <ul class="sample">
      {rows.map((row) => {
        const verdict = verdictOf(draft, row.row)!;
        return (
          <li key={row.row}>
            <span class="number muted">line {formatCount(row.line)}</span> <span>{mainProblem(row)?.message}</span>{' '}
            {verdict.verdict === 'correct' && <Badge tone={verdictTone(verdict)}>{verdictWords(verdict)}</Badge>}
          </li>
        );
      })}
      {more > 0 && <li class="muted">and {formatCount(more)} more</li>}
    </ul>
  );
}
