import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import type { CaseView, HeldRow, RowProblem } from '../../api/extra';
import { Button, ErrorPanel, Icon, plural } from '../../ui';
import type { Values } from '../api';
import { asTyped, type CellView } from './cells';
import type { Tried } from './useTry';

interface Props {
  readonly of: CaseView;
  readonly rows: readonly HeldRow[];
  readonly cells: readonly CellView[];
  readonly values: Values;
  readonly tried: Tried;
  readonly onChange: (values: Values) => void;
  /** The column whose field gets the focus. */
  readonly focus: string | null;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

/** New values for columns of one row, or the same for several. The engine looks at them while they are typed. */
export function CorrectionForm({ of, rows, cells, values, tried, onChange, focus, onDone, onCancel }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const results = [...tried.rows.values()];
  const problems = results.flatMap((row) => row.problems);
  const failing = results.filter((row) => row.problems.length > 0).length;
  // Without an answer of the engine (no connection) the values are checked when the decision is sent.
  const refused = tried.error !== null && !tried.error.isOffline;
  const ready = !tried.pending && !refused && failing === 0 && Object.keys(values).length > 0;
  const editable = cells.filter((cell) => of.correctable.includes(cell.column));
  const likely = editable.filter((cell) => cell.problems.length > 0 || cell.named || cell.column in values || cell.column === of.column || cell.column === focus);
  const shown = likely.length > 0 ? likely : editable;
  const hidden = editable.filter((cell) => !shown.includes(cell));

  // Before the next key arrives: it belongs into the field, not to the page's shortcuts.
  useLayoutEffect(() => {
    const name = focus ?? shown[0]?.column;
    const field = form.current?.querySelector<HTMLInputElement>(`[name="${CSS.escape(name ?? '')}"]`);
    field?.focus();
    field?.select();
  }, [focus]);

  // Who types and presses Enter at once need not wait for the engine: its answer decides.
  const [wanted, setWanted] = useState(false);
  useEffect(() => {
    if (!wanted || tried.pending) return;
    setWanted(false);
    if (ready) onDone();
  }, [wanted, tried.pending, ready]);

  const set = (column: string, value: string | null | undefined) => {
    const next = { ...values };
    if (value === undefined) delete next[column];
    else next[column] = value;
    setWanted(false);
    onChange(next);
  };

  return (
    <form
      ref={form}
      class="correction"
      aria-label={`Correct ${plural(rows.length, 'row')}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onDone();
        else if (tried.pending) setWanted(true);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        onCancel();
      }}
    >
      <h3>Correct {rows.length === 1 ? 'this row' : `${plural(rows.length, 'row')} alike`}</h3>
      {shown.map((cell) => (
        <CorrectionField
          key={cell.column}
          cell={cell}
          several={rows.length > 1}
          value={values[cell.column]}
          problems={problems.filter((problem) => problem.column === cell.column)}
          onChange={(value) => set(cell.column, value)}
        />
      ))}
      {hidden.length > 0 && (
        <label class="correction-add">
          <span class="visually-hidden">Correct another column</span>
          <select
            class="input"
            value=""
            onChange={(event) => {
              const cell = hidden.find((one) => one.column === event.currentTarget.value);
              if (cell) set(cell.column, asTyped(cell));
            }}
          >
            <option value="">Another column…</option>
            {hidden.map((cell) => (
              <option key={cell.column} value={cell.column}>
                {cell.column}
              </option>
            ))}
          </select>
        </label>
      )}
      <Verdict values={values} tried={tried} failing={failing} problems={problems} rows={rows.length} />
      <div class="correction-actions">
        <Button size="small" onClick={onCancel} shortcut="Esc">
          Cancel
        </Button>
        <Button size="small" kind="primary" type="submit" shortcut="Enter" disabled={!ready && !tried.pending}>
          Use these values
        </Button>
      </div>
    </form>
  );
}

interface FieldProps {
  readonly cell: CellView;
  readonly several: boolean;
  readonly value: string | null | undefined;
  readonly problems: readonly RowProblem[];
  readonly onChange: (value: string | null | undefined) => void;
}

function CorrectionField({ cell, several, value, problems, onChange }: FieldProps) {
  const id = `correct-${cell.column}`;
  const changed = value !== undefined;
  return (
    <div class="field correction-field">
      <label for={id} class="label mono">
        {cell.column}
      </label>
      <div class="correction-input">
        <input
          id={id}
          name={cell.column}
          class="input mono"
          autocomplete="off"
          spellcheck={false}
          value={value === null ? '' : (value ?? (several ? '' : asTyped(cell)))}
          placeholder={value === null ? 'empty' : several ? 'as it is in each row' : ''}
          aria-invalid={problems.length > 0 ? true : undefined}
          {...(problems.length > 0 && { 'aria-describedby': `${id}-problems` })}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
        <Button size="small" kind="quiet" aria-label={`Empty ${cell.column}`} title="Empty the cell" icon="ban" onClick={() => onChange(null)} />
        {changed && (
          <Button size="small" kind="quiet" aria-label={`Keep ${cell.column} as it is`} title="Keep as it is" icon="undo" onClick={() => onChange(undefined)} />
        )}
      </div>
      {problems.length > 0 && (
        <p class="field-error" id={`${id}-problems`}>
          {[...new Set(problems.map((problem) => problem.message))].slice(0, 3).join('; ')}
        </p>
      )}
    </div>
  );
}

interface VerdictProps {
  readonly values: Values;
  readonly tried: Tried;
  readonly failing: number;
  readonly problems: readonly RowProblem[];
  readonly rows: number;
}

/** What the engine says. */
function Verdict({ values, tried, failing, problems, rows }: VerdictProps) {
  if (tried.error && !tried.pending) {
    const title = tried.error.isOffline ? 'Not checked: there is no connection. The values are checked when you send them' : 'These values cannot be used';
    return <ErrorPanel error={tried.error} title={title} />;
  }
  const unnamed = problems.filter((problem) => !problem.column);
  let text = 'Type a value: it is checked as you type, by the same engine.';
  let tone = '';
  if (Object.keys(values).length > 0) {
    if (tried.pending) text = 'Checking…';
    else if (failing > 0) {
      tone = 'is-bad';
      const reasons = [...new Set(unnamed.map((problem) => problem.message))].slice(0, 3).join('; ');
      text = `${rows === 1 ? 'The row still does not fit' : `${failing} of ${tried.rows.size} checked rows still do not fit`}${reasons && `: ${reasons}`}`;
    } else if (tried.rows.size > 0) {
      tone = 'is-good';
      const filtered = [...tried.rows.values()].filter((row) => row.filtered).length;
      if (filtered > 0) text = `${filtered === 1 && rows === 1 ? 'The row fits, but a filter of the pipeline leaves it out' : `${filtered} rows fit, but a filter of the pipeline leaves them out`}.`;
      else text = tried.rows.size < rows ? `The first ${tried.rows.size} rows fit; the others are checked when you send.` : rows === 1 ? 'The row fits.' : 'All rows fit.';
    }
  }
  return (
    <p class={`correction-verdict ${tone}`} role="status">
      {tone && <Icon name={tone === 'is-good' ? 'check' : 'alert'} />} {text}
    </p>
  );
}
