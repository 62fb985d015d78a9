import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';

import type { ApiError } from '../../api/client';
import type { CaseView, HeldRow, VerdictView } from '../../api/extra';
import { session } from '../../auth/session';
import { ErrorPanel, formatCount, plural, Skeleton, toast, useShortcuts, VirtualTable } from '../../ui';
import { isMyFirst, isTaken, isWaiting } from '../caseState';
import { CorrectDialog } from '../bulk/CorrectDialog';
import { SendDialog } from '../decide/SendDialog';
import { RowDetail } from '../row/RowDetail';
import { Banner } from './Banner';
import { DecisionBar } from './DecisionBar';
import { type Draft, emptyDraft, fromDecision, isEmpty, tally, verdictOf, withCorrections, withVerdict } from './draft';
import { GroupList } from './GroupList';
import { Grouping } from './groups';
import { rowColumns } from './rowColumns';
import { RowsBar } from './RowsBar';
import { useCorrection } from './useCorrection';
import { useCursor } from './useCursor';
import { useDraft } from './useDraft';
import { useRows } from './useRows';
import type { PlainVerdict } from './verdicts';

interface Props {
  readonly of: CaseView;
  readonly conflict: ApiError | null;
  readonly onSent: (of: CaseView) => void;
  readonly onConflict: (error: ApiError) => void;
  readonly decisions: ComponentChildren;
  readonly comments: ComponentChildren;
}

const keyOf = (row: HeldRow): string => String(row.row);

/** What the rows show: the draft, or what was decided. */
function shownDraft(of: CaseView, draft: Draft, canDecide: boolean): Draft {
  const last = of.decisions.at(-1);
  if (canDecide) return draft;
  return last && !isWaiting(of) ? fromDecision(last, of.digest) : emptyDraft(of.digest);
}

/** Where rows are decided: groups, rows, one row in full. */
export function Workbench({ of, conflict, onSent, onConflict, decisions, comments }: Props) {
  const me = session.value?.oid;
  const canDecide = isWaiting(of) && !isTaken(of, me);
  const pages = useRows(of.caseId, of.digest);
  const [grouping] = useState(() => new Grouping());
  const groups = useMemo(() => grouping.of(pages.items), [grouping, pages.items]);
  const cursor = useCursor(pages.items, groups);
  const state = useDraft(of.caseId, of.digest);
  const { draft, change, back, discard } = state;
  const correcting = useCorrection(of, canDecide, pages.items, state, cursor);
  const [sending, setSending] = useState(false);
  const [correctingMany, setCorrectingMany] = useState(false);

  const { current, selected } = cursor;
  const shown = useMemo(() => shownDraft(of, draft, canDecide), [of, draft, canDecide]);
  const counts = tally(draft, of.rows);

  /** Gives the verdict, and goes on to the next row; after several to the next one that is undecided. */
  const give = (verdict: VerdictView, to: readonly HeldRow[] = cursor.targets) => {
    const done = new Set(to.map((row) => row.row));
    // Said of all rows at once, it is one word in the draft, however many they are.
    const isAll = done.size === of.rows;
    change((old) => {
      const next = { ...old, digest: of.digest, typing: null };
      return isAll ? { ...next, rest: verdict, rows: {} } : withVerdict(next, [...done], verdict);
    });
    const next = to.length === 1 && selected.size === 0 ? cursor.at(1) : cursor.find((row) => !done.has(row.row) && verdictOf(draft, row.row) === null);
    if (next) cursor.activate(next.row);
    cursor.select([]);
  };
  const giveRest = (verdict: PlainVerdict) => change((old) => ({ ...old, digest: of.digest, rest: { verdict } }));
  const send = () => {
    if (state.stale) toast('The rows changed: look at them again first.', 'bad');
    else if (counts.undecided > 0) toast(`${plural(counts.undecided, 'row')} still undecided. Shift A approves the rest, Shift R rejects it, Shift B sends it back.`, 'info');
    else setSending(true);
  };
  const agree = () => {
    const first = of.decisions.at(-1);
    if (!first) return;
    change(() => fromDecision(first, of.digest));
    setSending(true);
  };

  const correctMany = () => {
    if (of.correctable.length === 0) toast('No column of this pipeline can be corrected here. Send the rows back, or decide them as they are.', 'info');
    else setCorrectingMany(true);
  };

  const off = !canDecide;
  const move = (step: number) => correcting.leaveFor(cursor.at(step));
  useShortcuts({
    j: { label: 'Next row', run: () => move(1) },
    k: { label: 'Previous row', run: () => move(-1) },
    ArrowDown: { label: 'Next row', run: () => move(1) },
    ArrowUp: { label: 'Previous row', run: () => move(-1) },
    ']': { label: 'Next group', run: () => cursor.moveGroup(1) },
    '[': { label: 'Previous group', run: () => cursor.moveGroup(-1) },
    '*': { label: 'Read all rows of the case', run: () => pages.readAll?.(), off: pages.readAll === null },
    x: { label: 'Select the row', run: () => current && cursor.toggle(current.row), off },
    X: { label: 'Select all rows of the group', run: cursor.selectAll, off },
    a: { label: 'Approve the row, or those selected', run: () => give({ verdict: 'approve' }), off },
    r: { label: 'Reject the row, or those selected', run: () => give({ verdict: 'reject' }), off },
    b: { label: 'Send the row back to the partner, or those selected', run: () => give({ verdict: 'return' }), off },
    c: { label: 'Correct the row, or those selected', run: () => correcting.open(null), off },
    C: { label: 'Correct a column of the selected rows, or of all rows of the group', run: correctMany, off },
    u: { label: 'Take the last verdict back', run: () => void (back() || toast('There is nothing to take back.', 'info')), off },
    A: { label: 'Approve the rest', run: () => giveRest('approve'), off },
    R: { label: 'Reject the rest', run: () => giveRest('reject'), off },
    B: { label: 'Send the rest back to the partner', run: () => giveRest('return'), off },
    s: { label: 'Review and send the decision', run: send, off },
    'Ctrl+Enter': { label: 'Review and send the decision', run: send, off },
    y: { label: 'Decide the same as the first person', run: agree, off: off || of.status !== 'confirming' || isMyFirst(of, me) },
  });

  const columns = useMemo(
    () => rowColumns(shown, canDecide ? { has: (row) => selected.has(row), toggle: cursor.toggle } : null),
    [shown, canDecide, selected],
  );
  const target = selected.size > 0 ? `the ${plural(selected.size, 'selected row')}` : current ? `line ${formatCount(current.line)}` : 'no row';
  const reading = pages.complete || pages.error ? null : { read: pages.items.length, total: of.rows };
  return (
    <>
      <div class="notices">
        <Banner
          of={of}
          conflict={conflict}
          stale={state.stale}
          restored={state.restored && counts.undecided < of.rows}
          hasDraft={!isEmpty(draft)}
          onAgree={agree}
          onKeepDraft={() => change((old) => ({ ...old, digest: of.digest }))}
          onDiscard={discard}
        />
        {pages.error && <ErrorPanel error={pages.error} title="Not all rows could be read" onRetry={pages.retry} />}
      </div>
      <div class="workbench">
        <GroupList groups={groups} total={of.rows} draft={shown} current={cursor.group} onChoose={cursor.choose} />
        <section class="rows" aria-label="Rows">
          {pages.loading ? (
            <Skeleton lines={8} />
          ) : (
            <>
              <RowsBar
                shown={cursor.rows.length}
                selected={selected.size}
                reading={reading}
                onReadAll={pages.readAll}
                canDecide={canDecide}
                onSelectAll={cursor.selectAll}
                onVerdict={(verdict) => give({ verdict })}
                onCorrect={() => correcting.open(null)}
                onCorrectMany={correctMany}
              />
              <VirtualTable
                label="Held rows"
                items={cursor.rows}
                columns={columns}
                keyOf={keyOf}
                active={current ? String(current.row) : null}
                onActivate={correcting.leaveFor}
                onEnd={pages.more}
              />
            </>
          )}
        </section>
        <aside class="detail" aria-label="The row in full">
          {decisions}
          {current && (
            <RowDetail
              key={current.row}
              of={of}
              row={current}
              verdict={verdictOf(shown, current.row)}
              canDecide={canDecide}
              correction={correcting.correction}
              onVerdict={(verdict) => give({ verdict }, [current])}
              onCorrect={correcting.open}
              onCorrection={correcting.set}
              onCorrected={({ rows, values }) => give({ verdict: 'correct', values: { ...values } }, rows)}
            />
          )}
          {comments}
        </aside>
      </div>
      {canDecide && <DecisionBar counts={counts} target={target} onSend={send} onRest={giveRest} onBack={() => void back()} />}
      {correctingMany && (
        <CorrectDialog
          of={of}
          rows={selected.size > 0 ? cursor.targets : cursor.rows}
          unread={of.rows - pages.items.length}
          draft={draft}
          onCorrected={(corrections, failing) => {
            change((old) => withCorrections({ ...old, digest: of.digest, typing: null }, corrections));
            toast(`${plural(corrections.size, 'row')} corrected in your draft.`);
            cursor.select(failing);
            setCorrectingMany(false);
          }}
          onClose={() => setCorrectingMany(false)}
        />
      )}
      {sending && (
        <SendDialog
          of={of}
          draft={draft}
          rows={pages.items}
          onComment={(comment) => state.amend((old) => ({ ...old, comment }))}
          onSent={(next) => {
            setSending(false);
            discard();
            onSent(next);
          }}
          onConflict={(error) => {
            setSending(false);
            onConflict(error);
          }}
          onClose={() => setSending(false)}
        />
      )}
    </>
  );
}
