import { useEffect, useMemo, useState } from 'preact/hooks';

import type { CaseView, HeldRow } from '../../api/extra';
import { Button, Dialog, ErrorPanel, formatCount, Meter, plural, Select } from '../../ui';
import type { Values } from '../api';
import { type Draft, verdictOf } from '../case/draft';
import { changesOf } from './changes';
import { Preview } from './Preview';
import { type Rule } from './rule';
import { RuleFields } from './RuleFields';
import { useTryMany } from './useTryMany';

interface Props {
  readonly of: CaseView;
  readonly rows: readonly HeldRow[];
  /** Rows of the case that are not read, so not among `rows`. */
  readonly unread: number;
  readonly draft: Draft;
  /** New values by row, of rows that fit; the rows that still do not. */
  readonly onCorrected: (corrections: ReadonlyMap<number, Values>, failing: readonly number[]) => void;
  readonly onClose: () => void;
}

/** One column of many rows gets one value, or one rule. Every row goes through the engine before it is corrected. */
export function CorrectDialog({ of, rows, unread, draft, onCorrected, onClose }: Props) {
  const [column, setColumn] = useState(of.column && of.correctable.includes(of.column) ? of.column : (of.correctable[0] ?? ''));
  const [rule, setRule] = useState<Rule>({ kind: 'set', value: '' });
  // A value that nobody has typed yet corrects nothing.
  const [touched, setTouched] = useState(false);
  const changes = useMemo(() => (touched ? changesOf(rows, column, rule, draft) : []), [rows, column, rule, draft, touched]);
  const tried = useTryMany(of.caseId, of.digest, changes);

  const isFailing = (row: number) => (tried.rows.get(row)?.problems.length ?? 0) > 0;
  const failing = changes.filter(({ row }) => isFailing(row.row));
  const fitting = changes.length - failing.length;
  const replaced = changes.filter(({ row }) => verdictOf(draft, row.row) !== null).length;

  const use = () => {
    const fit = changes.filter(({ row }) => !isFailing(row.row));
    onCorrected(new Map(fit.map(({ row, values }) => [row.row, values])), failing.map(({ row }) => row.row));
  };
  // Who types and presses Enter at once need not wait for the engine: its answer decides.
  const [wanted, setWanted] = useState(false);
  useEffect(() => {
    if (!wanted || !tried.done) return;
    setWanted(false);
    if (fitting > 0) use();
  }, [wanted, tried.done]);
  useEffect(() => {
    if (tried.error) setWanted(false);
  }, [tried.error]);
  const change = (next: () => void) => {
    setWanted(false);
    next();
  };

  return (
    <Dialog
      wide
      title={`Correct a column of ${plural(rows.length, 'row')}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="bulk-correction" busy={wanted} disabled={changes.length === 0 || (tried.done && fitting === 0)}>
            {failing.length > 0 ? `Correct the ${plural(fitting, 'row')} that fit` : `Correct ${plural(fitting, 'row')}`}
          </Button>
        </>
      }
    >
      <form
        id="bulk-correction"
        class="bulk-correction"
        onSubmit={(event) => {
          event.preventDefault();
          if (changes.length > 0) setWanted(true);
        }}
      >
        <Select
          label="Column"
          value={column}
          options={of.correctable.map((name) => ({ value: name, label: name }))}
          onChange={(next) => change(() => setColumn(next))}
        />
        <RuleFields
          rule={rule}
          onChange={(next) =>
            change(() => {
              setTouched(true);
              setRule(next);
            })
          }
        />
      </form>
      {unread > 0 && <p class="notice">{plural(unread, 'row')} of the case are not read yet, and are not among these. Read them first to correct them, too.</p>}
      <p role="status">{touched && <Summary total={rows.length} changed={changes.length} checked={tried.rows.size} failing={failing.length} done={tried.done} replaced={replaced} />}</p>
      {changes.length > 0 && !tried.done && !tried.error && <Meter value={tried.rows.size} max={changes.length} label="Rows checked by the engine" />}
      {tried.error && <ErrorPanel error={tried.error} title="Not all rows could be checked; nothing was changed" onRetry={tried.retry} />}
      <Preview changes={changes} tried={tried} />
    </Dialog>
  );
}

interface SummaryProps {
  readonly total: number;
  readonly changed: number;
  readonly checked: number;
  readonly failing: number;
  readonly done: boolean;
  readonly replaced: number;
}

function Summary({ total, changed, checked, failing, done, replaced }: SummaryProps) {
  if (changed === 0) return <>No row changes: the rule finds nothing to do in {plural(total, 'row')}.</>;
  const same = total - changed;
  return (
    <>
      {plural(changed, 'row')} change{changed === 1 ? 's' : ''}
      {same > 0 && `, ${formatCount(same)} stay as they are`}
      {replaced > 0 && `; ${formatCount(replaced)} of them have a verdict already, which this replaces`}.{' '}
      {done
        ? failing === 0
          ? 'All of them fit.'
          : `${plural(failing, 'row')} still ${failing === 1 ? 'does' : 'do'} not fit and ${failing === 1 ? 'stays' : 'stay'} as ${failing === 1 ? 'it is' : 'they are'}, selected for you.`
        : `${formatCount(checked)} of ${formatCount(changed)} checked.`}
    </>
  );
}
