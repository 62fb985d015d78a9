import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLocation, useSearch } from 'wouter-preact';

import { asApiError } from '../../api/client';
import type { CaseView } from '../../api/extra';
import { useChanges } from '../../api/live';
import { hasRole, session } from '../../auth/session';
import { Button, Empty, ErrorPanel, formatCount, Page, plural, Skeleton, toast, useDebounced, usePages, useShortcuts, VirtualTable } from '../../ui';
import { now } from '../../ui/clock';
import { claim, listCases, release } from '../api';
import { isOverdue, isWaiting } from '../caseState';
import type { PlainVerdict } from '../case/verdicts';
import { meet } from '../people';
import { BulkDialog, MOST_CASES } from './BulkDialog';
import { columns } from './columns';
import { fromSearch, isFiltered, toQuery, toSearch, VIEWS, type QueueFilter, type View } from './filter';
import { mergeCases, MOST_RUNS } from './merge';
import { rememberQueue } from './order';
import { QueueFilters } from './QueueFilters';

const LABELS: Record<View, string> = { waiting: 'Waiting', mine: 'Mine', overdue: 'Overdue', decided: 'Decided' };

/** A pause in typing of this length asks the API. */
const TYPING_MS = 250;

const EMPTY: Record<View, [string, string]> = {
  waiting: ['Nothing waits for a decision', 'New cases appear here by themselves when a file has rows that a rule holds back.'],
  mine: ['You have not taken a case', 'Take one from the list of waiting cases with the key t; it is kept for you until you decide or release it.'],
  overdue: ['Nothing is overdue', 'Every waiting case still has time.'],
  decided: ['Nothing was decided yet', 'Cases come here once they are decided.'],
};

export function QueuePage() {
  const [, navigate] = useLocation();
  const search = useSearch();
  const filter = useMemo(() => fromSearch(search), [search]);
  const text = useDebounced(filter.text, TYPING_MS);
  // Age and due time are counted from the moment of asking; every page of a list is asked for with the same query.
  const query = useMemo(() => toQuery({ ...filter, text }, Date.now()), [toSearch({ ...filter, text })]);
  const pages = usePages<CaseView>((cursor) => listCases(query, cursor), [query]);
  const [active, setActive] = useState<string | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<{ verdict: PlainVerdict; cases: readonly CaseView[] } | null>(null);
  const searchInput = useRef<HTMLInputElement>(null);
  const reviewer = hasRole('Reviewer');

  const cases = pages.items;
  useEffect(() => meet(pages.items), [pages.items]);
  useEffect(() => rememberQueue(cases, toSearch(filter)), [cases, filter]);
  useEffect(() => setSelected(new Set()), [query]);
  useChanges((runs) => {
    const changed = new Set(runs.map((run) => run.runId).filter((run) => !filter.run || run === filter.run));
    if (changed.size > MOST_RUNS) return pages.reload();
    Promise.all([...changed].map((run) => listCases({ ...query, run }))).then(
      (fresh) => pages.update((items) => mergeCases(items, changed, fresh.flatMap((page) => page.items), pages.complete)),
      // The next change tries again; what is shown is only a little older.
      () => undefined,
    );
  });

  const apply = (change: Partial<QueueFilter>) => navigate(`/reviews${toSearch({ ...filter, ...change })}`, { replace: true });
  const toggle = (caseId: string) => {
    const next = new Set(selected);
    if (!next.delete(caseId)) next.add(caseId);
    setSelected(next);
  };

  const index = cases.findIndex((one) => one.caseId === active);
  const current = cases[index];
  const move = (step: number) => setActive(cases[Math.min(Math.max(index + step, 0), cases.length - 1)]?.caseId ?? null);
  const chosen = selected.size > 0 ? cases.filter((one) => selected.has(one.caseId)) : current && isWaiting(current) ? [current] : [];

  const change = async (action: (caseId: string) => Promise<CaseView>, done: string) => {
    if (!current) return;
    try {
      const next = await action(current.caseId);
      pages.update((items) => items.map((one) => (one.caseId === next.caseId ? next : one)));
      toast(done);
    } catch (error) {
      toast(asApiError(error).detail, 'bad');
      pages.reload();
    }
  };
  const decideChosen = (verdict: PlainVerdict) => {
    if (chosen.length > MOST_CASES) toast(`Select ${MOST_CASES} cases at most; ${chosen.length} are selected.`, 'bad');
    else if (chosen.length > 0) setBulk({ verdict, cases: chosen });
  };

  const selectAll = () => {
    const waiting = cases.filter(isWaiting).map((one) => one.caseId);
    setSelected(new Set(waiting.every((id) => selected.has(id)) ? [] : waiting));
  };

  useShortcuts({
    j: { label: 'Next case', run: () => move(1) },
    k: { label: 'Previous case', run: () => move(-1) },
    ArrowDown: { label: 'Next case', run: () => move(1) },
    ArrowUp: { label: 'Previous case', run: () => move(-1) },
    Enter: { label: 'Open the case', run: () => current && navigate(`/reviews/${current.caseId}`) },
    x: { label: 'Select the case', run: () => current && isWaiting(current) && toggle(current.caseId), off: !reviewer },
    X: { label: 'Select all cases that are shown', run: selectAll, off: !reviewer },
    a: { label: 'Approve the selected cases', run: () => decideChosen('approve'), off: !reviewer },
    r: { label: 'Reject the selected cases', run: () => decideChosen('reject'), off: !reviewer },
    b: { label: 'Send the rows of the selected cases back to their partners', run: () => decideChosen('return'), off: !reviewer },
    t: { label: 'Take the case', run: () => void change(claim, 'The case is yours.'), off: !reviewer },
    l: { label: 'Release the case', run: () => void change(release, 'The case is free again.') },
    Escape: { label: 'Clear the selection', run: () => setSelected(new Set()) },
    '/': { label: 'Search', run: () => searchInput.current?.focus() },
    ...Object.fromEntries(VIEWS.map((view, at) => [String(at + 1), { label: LABELS[view], run: () => apply({ view }) }])),
  });

  const overdue = cases.filter((one) => isOverdue(one, now.value)).length;
  const rows = cases.reduce((sum, one) => sum + one.rows, 0);
  return (
    <Page title="Reviews" fill actions={reviewer && <Bulk count={selected.size} rows={chosen} onDecide={decideChosen} onClear={() => setSelected(new Set())} />}>
      <div class="queue-bar">
        <div class="segments" role="group" aria-label="Which cases">
          {VIEWS.map((view) => (
            <button key={view} type="button" class="segment" aria-pressed={filter.view === view} onClick={() => apply({ view })}>
              {LABELS[view]}
            </button>
          ))}
        </div>
        <p class="muted queue-sum" role="status">
          {pages.loading
            ? 'Loading'
            : `${formatCount(cases.length)}${pages.complete ? '' : '+'} ${cases.length === 1 ? 'case' : 'cases'}, ${plural(rows, 'row')}${overdue > 0 ? `, ${overdue} overdue` : ''}`}
        </p>
      </div>
      <QueueFilters filter={filter} cases={pages.items} search={searchInput} onChange={apply} />
      {pages.error && <ErrorPanel error={pages.error} title="The queue cannot be read" onRetry={pages.reload} />}
      {pages.loading && <Skeleton lines={10} />}
      {!pages.loading && !pages.error && cases.length === 0 && (
        <Empty
          icon={isFiltered(filter) ? 'filter' : 'check'}
          title={isFiltered(filter) ? 'No case matches the filters' : EMPTY[filter.view][0]}
        >
          {isFiltered(filter) ? 'There may be others: clear the filters to see them.' : EMPTY[filter.view][1]}
        </Empty>
      )}
      {cases.length > 0 && (
        <VirtualTable
          label="Review cases"
          items={cases}
          columns={columns(reviewer && filter.view !== 'decided' ? { has: (id) => selected.has(id), toggle } : null)}
          keyOf={(one) => one.caseId}
          active={active}
          onActivate={(one) => navigate(`/reviews/${one.caseId}`)}
          rowClass={(one) => [isOverdue(one, now.value) && 'is-overdue', one.claimedBy && one.claimedBy.id !== session.value?.oid && 'is-taken'].filter(Boolean).join(' ')}
          onEnd={pages.more}
        />
      )}
      {bulk && (
        <BulkDialog
          {...bulk}
          onClose={() => setBulk(null)}
          onDone={() => {
            setSelected(new Set());
            pages.reload();
          }}
        />
      )}
    </Page>
  );
}

interface BulkProps {
  readonly count: number;
  readonly rows: readonly CaseView[];
  readonly onDecide: (verdict: PlainVerdict) => void;
  readonly onClear: () => void;
}

function Bulk({ count, rows, onDecide, onClear }: BulkProps) {
  if (count === 0) return null;
  return (
    <>
      <Button kind="quiet" size="small" onClick={onClear}>
        {plural(count, 'case')}, {plural(rows.reduce((sum, one) => sum + one.rows, 0), 'row')} selected
      </Button>
      <Button icon="check" shortcut="a" onClick={() => onDecide('approve')}>
        Approve
      </Button>
      <Button icon="ban" shortcut="r" onClick={() => onDecide('reject')}>
        Reject
      </Button>
      <Button icon="undo" shortcut="b" onClick={() => onDecide('return')}>
        Send back
      </Button>
    </>
  );
}
