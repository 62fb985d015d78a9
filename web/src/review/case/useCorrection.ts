import { useEffect, useMemo, useState } from 'preact/hooks';

import type { CaseView, HeldRow } from '../../api/extra';
import { toast } from '../../ui';
import type { Correction } from '../row/RowDetail';
import { verdictOf } from './draft';
import type { Cursor } from './useCursor';
import type { DraftState } from './useDraft';

export interface Correcting {
  /** What is being typed, or null. */
  readonly correction: Correction | null;
  readonly set: (correction: Correction | null) => void;
  /** Opens the form for the selection or the current row. */
  readonly open: (column: string | null) => void;
  /** Goes to a row, unless values are being typed. */
  readonly leaveFor: (row: HeldRow | undefined) => void;
}

/** The correction that is being typed. It stands in the draft, so that a reload keeps it. */
export function useCorrection(of: CaseView, canDecide: boolean, rows: readonly HeldRow[], { draft, amend }: DraftState, cursor: Cursor): Correcting {
  const [focus, setFocus] = useState<string | null>(null);
  const typing = canDecide ? draft.typing : null;
  const correction = useMemo<Correction | null>(() => {
    if (!typing) return null;
    const typed = new Set(typing.rows);
    return { rows: rows.filter((row) => typed.has(row.row)), values: typing.values, focus };
  }, [typing, rows, focus]);
  const set = (next: Correction | null) =>
    amend((old) => ({ ...old, digest: of.digest, typing: next && { rows: next.rows.map((row) => row.row), values: next.values } }));

  // After a reload the form is open again, at its row.
  useEffect(() => {
    const first = draft.typing?.rows[0];
    if (first !== undefined) cursor.activate(first);
  }, []);

  return {
    correction,
    set,
    open: (column) => {
      const [first] = cursor.targets;
      if (!first) return;
      const before = cursor.targets.length === 1 ? verdictOf(draft, first.row) : null;
      if (cursor.targets.length === 1) cursor.activate(first.row);
      setFocus(column);
      set({ rows: cursor.targets, values: before?.verdict === 'correct' ? before.values : {}, focus: column });
    },
    leaveFor: (row) => {
      if (correction && Object.keys(correction.values).length > 0) {
        toast('Use or cancel the values that you are typing first.', 'info');
        return;
      }
      if (correction) set(null);
      cursor.activate(row?.row ?? null);
    },
  };
}
