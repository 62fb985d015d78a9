import type { Cell } from '../../api/extra';
import { Icon } from '../../ui';
import { showCell, type CellView } from './cells';

interface Props {
  readonly cells: readonly CellView[];
  /** Columns that may be corrected. */
  readonly correctable?: readonly string[];
  /** Opens the correction of a column. */
  readonly onEdit?: ((column: string) => void) | undefined;
  /** New values as they are typed or decided. */
  readonly corrected?: Readonly<Record<string, string | null>>;
}

function Value({ value }: { readonly value: Cell | undefined }) {
  if (value === undefined) return <span class="muted">–</span>;
  if (value === null) return <span class="muted">empty</span>;
  return <>{showCell(value)}</>;
}

/** A row cell by cell: in the file, as understood, as it would be published. */
export function Cells({ cells, correctable = [], onEdit, corrected = {} }: Props) {
  return (
    <div class="cells-scroll" tabIndex={0} role="region" aria-label="Values of the row">
      <table class="cells">
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">In the file</th>
            <th scope="col">Understood as</th>
            <th scope="col">Would be published</th>
          </tr>
        </thead>
        <tbody>
          {cells.map((cell) => {
            const differs = !cell.derived && showCell(cell.parsed) !== showCell(cell.proposed);
            const fixed = cell.column in corrected;
            return (
              <tr key={cell.column} class={cell.problems.length > 0 ? 'is-offending' : cell.named ? 'is-named' : undefined}>
                <th scope="row">
                  {onEdit && correctable.includes(cell.column) ? (
                    <button type="button" class="cell-edit" title={`Correct ${cell.column}`} onClick={() => onEdit(cell.column)}>
                      {cell.column}
                      <Icon name="edit" size={12} />
                    </button>
                  ) : (
                    cell.column
                  )}
                </th>
                <td class="mono">{cell.raw === null ? <span class="muted">–</span> : cell.raw === '' ? <span class="muted">empty</span> : cell.raw}</td>
                <td class="mono">{cell.derived ? <span class="muted">made here</span> : <Value value={cell.parsed} />}</td>
                <td class={['mono', fixed ? 'is-fixed' : (differs || cell.derived) && 'is-changed'].filter(Boolean).join(' ')}>
                  <Value value={cell.proposed} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
