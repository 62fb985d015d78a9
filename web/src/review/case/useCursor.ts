import { useState } from 'preact/hooks';

import type { HeldRow } from '../../api/extra';
import type { Group } from './groups';

export interface Cursor {
  /** The group that is shown; null for all rows. */
  readonly group: string | null;
  /** The rows that are shown. */
  readonly rows: readonly HeldRow[];
  readonly current: HeldRow | undefined;
  readonly selected: ReadonlySet<number>;
  /** What a verdict is given to: the selection, or else the current row. */
  readonly targets: readonly HeldRow[];
  readonly activate: (row: number | null) => void;
  /** The row so many steps away, or the last one on the way. */
  readonly at: (step: number) => HeldRow | undefined;
  /** The first of the rows after the current one, around the end, that `isWanted`. */
  readonly find: (isWanted: (row: HeldRow) => boolean) => HeldRow | undefined;
  readonly choose: (group: string | null) => void;
  readonly moveGroup: (step: number) => void;
  readonly toggle: (row: number) => void;
  /** All rows that are shown; none, if they are all selected. */
  readonly selectAll: () => void;
  readonly select: (rows: readonly number[]) => void;
}

const clamp = (value: number, last: number): number => Math.min(Math.max(value, 0), Math.max(last, 0));

/** Where the reviewer is: group, row and selection. */
export function useCursor(all: readonly HeldRow[], groups: readonly Group[]): Cursor {
  const [key, setKey] = useState<string | null>(null);
  const [active, setActive] = useState<number | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());

  const shown = groups.find((one) => one.key === key);
  const rows = shown?.rows ?? all;
  const index = Math.max(
    rows.findIndex((row) => row.row === active),
    0,
  );
  const current = rows[index];

  const choose = (next: string | null) => {
    setKey(next);
    setActive(null);
    setSelected(new Set());
  };
  return {
    group: shown?.key ?? null,
    rows,
    current,
    selected,
    targets: selected.size > 0 ? all.filter((row) => selected.has(row.row)) : current ? [current] : [],
    activate: setActive,
    at: (step) => rows[clamp(index + step, rows.length - 1)],
    find: (isWanted) => [...rows.slice(index), ...rows.slice(0, index)].find(isWanted),
    choose,
    moveGroup: (step) => {
      const keys = [null, ...groups.map((one) => one.key)];
      choose(keys[clamp(keys.indexOf(shown?.key ?? null) + step, keys.length - 1)] ?? null);
    },
    toggle: (row) => {
      const next = new Set(selected);
      if (!next.delete(row)) next.add(row);
      setSelected(next);
    },
    selectAll: () => setSelected(rows.every((row) => selected.has(row.row)) ? new Set() : new Set(rows.map((row) => row.row))),
    select: (rows) => setSelected(new Set(rows)),
  };
}
