import type { CaseView, HeldRow, VerdictView } from '../../api/extra';
import { Badge, Button } from '../../ui';
import type { Values } from '../api';
import { type PlainVerdict, verdictTone, verdictWords } from '../case/verdicts';
import { Cells } from './Cells';
import { cellsOf } from './cells';
import { CorrectionForm } from './CorrectionForm';
import { Neighbours } from './Neighbours';
import { useTry } from './useTry';

export interface Correction {
  /** The rows that get the values: the active one, or those selected. */
  readonly rows: readonly HeldRow[];
  readonly values: Values;
  readonly focus: string | null;
}

interface Props {
  readonly of: CaseView;
  readonly row: HeldRow;
  readonly verdict: VerdictView | null;
  readonly canDecide: boolean;
  readonly correction: Correction | null;
  readonly onVerdict: (verdict: PlainVerdict) => void;
  readonly onCorrect: (focus: string | null) => void;
  readonly onCorrection: (correction: Correction | null) => void;
  readonly onCorrected: (correction: Correction) => void;
}

/** A case that is decided takes no trial. */
const NO_VALUES: Values = {};

/** One row in full: why it is held, its values from file to table, its place in the file. */
export function RowDetail({ of, row, verdict, canDecide, correction, onVerdict, onCorrect, onCorrection, onCorrected }: Props) {
  const decided = verdict?.verdict === 'correct' ? verdict.values : {};
  const values = correction?.values ?? decided;
  const rows = correction?.rows ?? [row];
  const tried = useTry(of.caseId, of.digest, rows.map((one) => one.row), canDecide ? values : NO_VALUES);
  const cells = cellsOf(row, tried.rows.get(row.row)?.proposed ?? row.proposed);
  return (
    <article class="row-detail" aria-label={`Line ${row.line}`}>
      <div class="detail-head">
        <h2>Line {row.line}</h2>
        {verdict ? <Badge tone={verdictTone(verdict)}>{verdictWords(verdict)}</Badge> : canDecide && <span class="muted">undecided</span>}
      </div>
      <ul class="reasons">
        {row.problems.map((problem) => (
          <li key={`${problem.code}${problem.rule}${problem.column}`}>
            <span>{problem.message}</span>{' '}
            <code class="muted" title={problem.rule ? 'Rule of the pipeline' : 'Problem code'}>
              {[problem.rule ?? problem.code, problem.column].filter(Boolean).join(' · ')}
            </code>
          </li>
        ))}
      </ul>
      {canDecide && !correction && (
        <div class="detail-actions">
          <Button size="small" icon="check" shortcut="a" onClick={() => onVerdict('approve')}>
            Approve
          </Button>
          <Button size="small" icon="ban" shortcut="r" title="The row is not published; the partner sees its reasons" onClick={() => onVerdict('reject')}>
            Reject
          </Button>
          <Button size="small" icon="undo" shortcut="b" title="The partner is asked to repair the row, with your words" onClick={() => onVerdict('return')}>
            Send back
          </Button>
          <Button size="small" icon="edit" shortcut="c" onClick={() => onCorrect(null)}>
            Correct
          </Button>
        </div>
      )}
      {correction && (
        <CorrectionForm
          key={rows.map((one) => one.row).join()}
          of={of}
          rows={rows}
          cells={cells}
          values={correction.values}
          tried={tried}
          focus={correction.focus}
          onChange={(next) => onCorrection({ ...correction, values: next })}
          onDone={() => onCorrected(correction)}
          onCancel={() => onCorrection(null)}
        />
      )}
      <Cells cells={cells} correctable={of.correctable} corrected={values} onEdit={canDecide ? (column) => onCorrect(column) : undefined} />
      <Neighbours runId={of.runId} row={row} />
    </article>
  );
}
