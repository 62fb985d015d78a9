import { Button, formatCount, plural } from '../../ui';
import type { PlainVerdict } from './verdicts';

interface Props {
  readonly shown: number;
  readonly selected: number;
  /** How many rows of the case are here, while they are not all. */
  readonly reading: { readonly read: number; readonly total: number } | null;
  /** Reads the others, too; null while they are read, or where none are left. */
  readonly onReadAll: (() => void) | null;
  readonly canDecide: boolean;
  readonly onSelectAll: () => void;
  readonly onVerdict: (verdict: PlainVerdict) => void;
  readonly onCorrect: () => void;
  readonly onCorrectMany: () => void;
}

/** How many rows there are, and what can be done to those that are selected. */
export function RowsBar({ shown, selected, reading, onReadAll, canDecide, onSelectAll, onVerdict, onCorrect, onCorrectMany }: Props) {
  return (
    <div class="rows-bar">
      <span class="muted" role="status">
        {plural(shown, 'row')}
        {reading && ` (${formatCount(reading.read)} of ${formatCount(reading.total)} read; groups have only these)`}
        {selected > 0 && `, ${formatCount(selected)} selected`}
      </span>
      {onReadAll && (
        <Button size="small" shortcut="*" title="Groups are whole then, and all rows can be scrolled through" onClick={onReadAll}>
          Read all
        </Button>
      )}
      {canDecide && (
        <span class="rows-actions">
          <Button size="small" kind="quiet" shortcut="X" onClick={onSelectAll}>
            Select all
          </Button>
          <Button size="small" kind="quiet" shortcut="C" title="One value or one rule for a column of these rows" onClick={onCorrectMany}>
            Correct a column
          </Button>
          {selected > 0 && (
            <>
              <Button size="small" icon="check" shortcut="a" onClick={() => onVerdict('approve')}>
                Approve
              </Button>
              <Button size="small" icon="ban" shortcut="r" onClick={() => onVerdict('reject')}>
                Reject
              </Button>
              <Button size="small" icon="undo" shortcut="b" onClick={() => onVerdict('return')}>
                Send back
              </Button>
              <Button size="small" icon="edit" shortcut="c" onClick={onCorrect}>
                Correct
              </Button>
            </>
          )}
        </span>
      )}
    </div>
  );
}
