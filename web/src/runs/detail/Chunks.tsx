import { Badge, Bytes, Count, Empty, ErrorPanel, formatCount, Skeleton, usePages, VirtualTable, type Column } from '../../ui';
import { loadChunks, type Run } from './load';
import type { ChunkView } from './report';

const count = (key: 'accepted' | 'held' | 'rejected' | 'filtered' | 'duplicate', head: string, optional: boolean): Column<ChunkView> => ({
  key,
  head,
  width: '6rem',
  align: 'end',
  optional,
  cell: (chunk) => <Count value={chunk.tally.totals[key]} />,
});

const COLUMNS: readonly Column<ChunkView>[] = [
  {
    key: 'index',
    head: 'Chunk',
    width: '7rem',
    cell: (chunk) => (
      <>
        {chunk.index + 1} {chunk.generation > 0 && <Badge title="Transformed once more, without repeated keys">twice</Badge>}
      </>
    ),
  },
  { key: 'from', head: 'First row', width: 'minmax(6rem, 1fr)', cell: (chunk) => `row ${formatCount(chunk.chunk.firstRow)}, line ${formatCount(chunk.chunk.firstLine)}` },
  { key: 'bytes', head: 'Bytes', width: '6rem', align: 'end', optional: true, cell: (chunk) => <Bytes value={chunk.chunk.end - chunk.chunk.start} /> },
  { key: 'rows', head: 'Rows', width: '6rem', align: 'end', cell: (chunk) => <Count value={chunk.tally.totals.rows} /> },
  count('accepted', 'Accepted', true),
  count('held', 'Held', true),
  count('rejected', 'Rejected', false),
  count('filtered', 'Filtered', true),
  count('duplicate', 'Duplicate', true),
];

/** The chunks of the file, each with the account of its rows. */
export function Chunks({ run }: { run: Run }) {
  const chunks = usePages((cursor) => loadChunks(run.runId, cursor), [run.runId, run.state]);
  if (chunks.error) return <ErrorPanel error={chunks.error} title="The chunks cannot be loaded" onRetry={chunks.reload} />;
  if (chunks.loading) return <Skeleton label="Loading chunks" />;
  if (chunks.items.length === 0) return <Empty icon="file" title="No chunk is checked yet">The file is cut into chunks once it is sealed.</Empty>;
  return (
    <div class="run-table">
      <VirtualTable
        label="Chunks"
        items={chunks.items}
        columns={COLUMNS}
        keyOf={(chunk) => `${chunk.index}.${chunk.generation}`}
        onEnd={chunks.complete ? undefined : chunks.more}
      />
    </div>
  );
}
