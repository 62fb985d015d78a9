import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef } from 'preact/hooks';

import { useVirtual } from './useVirtual';

export interface Column<T> {
  readonly key: string;
  readonly head: ComponentChildren;
  readonly cell: (item: T) => ComponentChildren;
  /** Share of the width, as in a CSS grid: '1fr', 'minmax(8rem, 2fr)', '6rem'. */
  readonly width: string;
  readonly align?: 'end';
  /** Left out when the table is narrow. */
  readonly optional?: boolean;
}

interface Props<T> {
  readonly label: string;
  readonly items: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (item: T) => string;
  /** The row that the keys j and k move. */
  readonly active?: string | null;
  readonly onActivate?: (item: T) => void;
  /** Marks rows: 'is-overdue', 'is-selected'. */
  readonly rowClass?: (item: T) => string | undefined;
  /** Called when the end comes near; loads the next page. */
  readonly onEnd?: (() => void) | undefined;
  readonly rowHeight?: number;
}

/** Height of a row in CSS pixels; the style sheet has the same. */
const ROW_HEIGHT = 36;

/** A table that draws only the rows that are seen, so that 100,000 of them scroll as well as ten. */
export function VirtualTable<T>({ label, items, columns, keyOf, active = null, onActivate, rowClass, onEnd, rowHeight = ROW_HEIGHT }: Props<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const { first, end, show } = useVirtual({ count: items.length, rowHeight, scroller });
  // A row whose item and columns are the same is not drawn again, whatever the page's functions are called this time.
  const latest = useRef(onActivate);
  latest.current = onActivate;
  const activate = useCallback((item: T) => latest.current?.(item), []);

  useEffect(() => {
    if (items.length > 0 && end >= items.length - 20) onEnd?.();
  }, [end, items.length, onEnd]);

  useEffect(() => {
    const index = active === null ? -1 : items.findIndex((item) => keyOf(item) === active);
    if (index >= 0) show(index);
  }, [active]);

  const template = { '--columns': columns.map((column) => column.width).join(' '), '--columns-narrow': narrow(columns), '--row-height': `${rowHeight}px` };
  return (
    <div class="table-scroll" ref={scroller} tabIndex={0} role="region" aria-label={label}>
      <div class="table" role="table" aria-label={label} aria-rowcount={items.length + 1} style={template}>
        <div class="table-head" role="rowgroup">
          <div class="table-row" role="row" aria-rowindex={1}>
            {columns.map((column) => (
              <div key={column.key} role="columnheader" class={cellClass(column)}>
                {column.head}
              </div>
            ))}
          </div>
        </div>
        <div class="table-body" role="rowgroup" style={{ height: `${items.length * rowHeight}px` }}>
          {items.slice(first, end).map((item, at) => {
            const key = keyOf(item);
            return (
              <Row
                key={key}
                item={item}
                columns={columns}
                index={first + at}
                rowHeight={rowHeight}
                isActive={key === active}
                class={rowClass?.(item)}
                onActivate={onActivate && activate}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface RowProps<T> {
  readonly item: T;
  readonly columns: readonly Column<T>[];
  readonly index: number;
  readonly rowHeight: number;
  readonly isActive: boolean;
  readonly class: string | undefined;
  readonly onActivate: ((item: T) => void) | undefined;
}

function Row<T>({ item, columns, index, rowHeight, isActive, class: extra, onActivate }: RowProps<T>) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-current={isActive ? 'true' : undefined}
      class={['table-row', onActivate && 'is-clickable', isActive && 'is-active', extra].filter(Boolean).join(' ')}
      style={{ transform: `translateY(${index * rowHeight}px)` }}
      onClick={onActivate && ((event) => isInteractive(event.target) || onActivate(item))}
    >
      {columns.map((column) => (
        <div key={column.key} role="cell" class={cellClass(column)}>
          {column.cell(item)}
        </div>
      ))}
    </div>
  );
}

function narrow<T>(columns: readonly Column<T>[]): string {
  return columns.filter((column) => !column.optional).map((column) => column.width).join(' ');
}

function cellClass<T>(column: Column<T>): string {
  return ['table-cell', column.align === 'end' && 'is-end', column.optional && 'is-optional'].filter(Boolean).join(' ');
}

/** A link or a button in a row does its own work. */
function isInteractive(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, input, select, label') !== null;
}
