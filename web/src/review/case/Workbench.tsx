import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';

import type { ApiError } from '../../api/client';
import type { CaseView, HeldRow, VerdictView } from '../../api/extra';
import { session } from '../../auth/session';
import { Button, ErrorPanel, formatCount, plural, Skeleton, toast, useShortcuts, VirtualTable } from '../../ui';
import { isTaken, isWaiting } from '../caseState';
import { SendDialog } from '../decide/SendDialog';
import { RowDetail, type Correction } from '../row/RowDetail';
import { Banner } from './Banner';
import { DecisionBar } from './DecisionBar';
import { emptyDraft, fromDecision, isEmpty, tally, verdictOf, withVerdict } from './draft';
import { GroupList } from './GroupList';
import { groupRows } from './groups';
import { rowColumns } from './rowColumns';
import { useDraft } from './useDraft';
import { useRows } from './useRows';

interface Props {
  readonly of: CaseView;
  readonly conflict: ApiError | null;
  readonly onSent: (of: CaseView) => void;
  readonly onConflict: (error: ApiError) => void;
  readonly decisions: ComponentChildren;
  readonly comments: ComponentChildren;
}

/** Where rows are decided: groups, rows, one row in full. */
export function Workbench({ of, conflict, onSent, onConflict, decisions, comments }: Props) {
  const pages = useRows(of.caseId, of.digest);
  const { draft, restored, stale, change, amend, back, discard } = useDraft(of.caseId, of.digest);
  const [groupKey, setGroupKey] = useState<string | null>(null);
  const [active, setActive] = useState<number | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [focus, setFocus] = useState<string | null>(null);
  const [sending, setSending] = useState(false);

  const groups = useMemo(() => groupRows(pages.items), [pages.items]);
  const group = groups.find((one) => one.key === groupKey);
  const rows = group?.rows ?? pages.items;
  const found = rows.findIndex((row) => row.row === active);
  const index = found < 0 ? 0 : found;
  const current = rows[index];
  const counts = tally(draft, of.rows);
  const canDecide = isWaiting(of) && !isTaken(of, session.value?.oid);

  // Once it is decided, the rows show what was decided.
  const last = of.decisions.at(-1);
  const shown = canDecide ? draft : last && !isWaiting(of) ? fromDecision(last, of.digest) : emptyDraft(of.digest);

  const typing = canDecide ? draft.typing : null;
  const correction = useMemo<Correction | null>(() => {
    if (!typing) return null;
    const typed = new Set(typing.rows);
    return { rows: pages.items.filter((row) => typed.has(row.row)), values: typing.values, focus };
  }, [typing, pages.items, focus]);
  const setCorrection = (next: Correction | null) =>
    amend((old) => ({ ...old, digest: of.digest, typing: next && { rows: next.rows.map((row) => row.row), values: next.values } }));

  // After a reload the correction that was being typed is open again, at its row.
  useEffect(() => {
    if (draft.typing?.rows[0] !== undefined) setActive(draft.typing.rows[0]);
  }, []);

  const targets = selected.size > 0 ? pages.items.filter((row) => selected.has(row.row)) : current ? [current] : [];
  const activate = (row: number | null) => {
    if (correction && Object.keys(correction.values).length > 0) {
      toast('Use or cancel the values that you are typing first.', 'info');
      return;
    }
    if (correction) setCorrection(null);
    setActive(row);
  };
  const move = (step: number) => activate(rows[Math.min(Math.max(index + step, 0), rows.length - 1)]?.row ?? null);
  const choose = (key: string | null) => {
    setGroupKey(key);
    setActive(null);
    setSelected(new Set());
  };
  const moveGroup = (step: number) => {
    const keys = [null, ...groups.map((one) => one.key)];
    choose(keys[Math.min(Math.max(keys.indexOf(groupKey) + step, 0), keys.length - 1)] ?? null);
  };
  const toggle = (row: number) => {
    const next = new Set(selected);
    if (!next.delete(row)) next.add(row);
    setSelected(next);
  };
  const selectAll = () => {
    const all = rows.every((row) => selected.has(row.row));
    setSelected(all ? new Set() : new Set(rows.map((row) => row.row)));
  };

  /** Gives the verdict to the selection or the current row, and goes on to the next undecided one. */
  const give = (verdict: VerdictView, to: readonly HeldRow[] = targets) => {
    const numbers = to.map((row) => row.row);
    change((old) => withVerdict({ ...old, digest: of.digest }, numbers, verdict));
    const done = new Set(numbers);
    const next = [...rows.slice(index), ...rows.slice(0, index)].find((row) => !done.has(row.row) && verdictOf(draft, row.row) === null);
    if (to.length === 1 && selected.size === 0) setActive(rows[Math.min(index + 1, rows.length - 1)]?.row ?? null);
    else if (next) setActive(next.row);
    setSelected(new Set());
  };
  const correct = (column: string | null) => {
    if (!current || targets.length === 0) return;
    const before = targets.length === 1 ? verdictOf(draft, targets[0]!.row) : null;
    if (targets.length === 1 && targets[0]!.row !== current.row) setActive(targets[0]!.row);
    setFocus(column);
    setCorrection({ rows: targets, values: before?.verdict === 'correct' ? before.values : {}, focus: column });
  };
  const giveRest = (verdict: 'approve' | 'reject') => change((old) => ({ ...old, digest: of.digest, rest: verdict }));
  const send = () => {
    if (stale) toast('The rows changed: look at them again first.', 'bad');
    else if (counts.undecided > 0) toast(`${plural(counts.undecided, 'row')} still undecided. Shift A approves the rest, Shift R rejects it.`, 'info');
    else setSending(true);
  };
  const agree = () => {
    if (!last) return;
    change(() => fromDecision(last, of.digest));
    setSending(true);
  };
  const confirming = of.status === 'confirming' && last?.by.id !== session.value?.oid;

  const off = !canDecide;
  useShortcuts({
    j: { label: 'Next row', run: () => move(1) },
    k: { label: 'Previous row', run: () => move(-1) },
    ArrowDown: { label: 'Next row', run: () => move(1) },
    ArrowUp: { label: 'Previous row', run: () => move(-1) },
    ']': { label: 'Next group', run: () => moveGroup(1) },
    '[': { label: 'Previous group', run: () => moveGroup(-1) },
    x: { label: 'Select the row', run: () => current && toggle(current.row), off },
    X: { label: 'Select all rows of the group', run: selectAll, off },
    a: { label: 'Approve the row, or those selected', run: () => give({ verdict: 'approve' }), off },
    r: { label: 'Reject the row, or those selected', run: () => give({ verdict: 'reject' }), off },
    c: { label: 'Correct the row, or those selected', run: () => correct(null), off },
    u: { label: 'Take the last verdict back', run: () => void (back() || toast('There is nothing to take back.', 'info')), off },
    A: { label: 'Approve the rest', run: () => giveRest('approve'), off },
    R: { label: 'Reject the rest', run: () => giveRest('reject'), off },
    s: { label: 'Review and send the decision', run: send, off },
    'Ctrl+Enter': { label: 'Review and send the decision', run: send, off },
    y: { label: 'Decide the same as the first person', run: agree, off: off || !confirming },
  });

  const target =
    selected.size > 0 ? `the ${plural(selected.size, 'selected row')}` : current ? `line ${formatCount(current.line)}` : 'no row';
  const reading = !pages.complete && !pages.error;
  return (
    <>
      <div class="notices">
        <Banner
          of={of}
          conflict={conflict}
          stale={stale}
          restored={restored && counts.undecided < of.rows}
          hasDraft={!isEmpty(draft)}
          onAgree={agree}
          onKeepDraft={() => change((old) => ({ ...old, digest: of.digest }))}
          onDiscard={discard}
        />
        {pages.error && <ErrorPanel error={pages.error} title="Not all rows could be read" onRetry={pages.reload} />}
      </div>
      <div class="workbench">
        <GroupList groups={groups} total={of.rows} draft={shown} current={groupKey} onChoose={choose} />
        <section class="rows" aria-label="Rows">
          <div class="rows-bar">
            <span class="muted" role="status">
              {plural(rows.length, 'row')}
              {reading && ` (${formatCount(pages.items.length)} of ${formatCount(of.rows)} read; groups have only these)`}
              {selected.size > 0 && `, ${formatCount(selected.size)} selected`}
            </span>
            {canDecide && (
              <span class="rows-actions">
                <Button size="small" kind="quiet" shortcut="X" onClick={selectAll}>
                  Select all
                </Button>
                {selected.size > 0 && (
                  <>
                    <Button size="small" icon="check" shortcut="a" onClick={() => give({ verdict: 'approve' })}>
                      Approve
                    </Button>
                    <Button size="small" icon="ban" shortcut="r" onClick={() => give({ verdict: 'reject' })}>
                      Reject
                    </Button>
                    <Button size="small" icon="edit" shortcut="c" onClick={() => correct(null)}>
                      Correct
                    </Button>
                  </>
                )}
              </span>
            )}
          </div>
          {pages.loading ? (
            <Skeleton lines={8} />
          ) : (
            <VirtualTable
              label="Held rows"
              items={rows}
              columns={rowColumns(shown, canDecide ? { has: (row) => selected.has(row), toggle } : null)}
              keyOf={(row) => String(row.row)}
              active={current ? String(current.row) : null}
              onActivate={(row) => activate(row.row)}
              onEnd={pages.more}
            />
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
              correction={correction}
              onVerdict={(verdict) => give({ verdict }, [current])}
              onCorrect={correct}
              onCorrection={setCorrection}
              onCorrected={(done) => {
                amend((old) => ({ ...old, typing: null }));
                give({ verdict: 'correct', values: { ...done.values } }, done.rows);
              }}
            />
          )}
          {comments}
        </aside>
      </div>
      {canDecide && <DecisionBar counts={counts} target={target} onSend={send} onRest={giveRest} onBack={() => void back()} />}
      {sending && (
        <SendDialog
          of={of}
          draft={draft}
          rows={pages.items}
          onComment={(comment) => change((old) => ({ ...old, comment }))}
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
