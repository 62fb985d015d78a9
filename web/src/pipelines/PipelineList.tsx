import { useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';

import { hasRole } from '../auth/session';
import { Badge, Button, Empty, ErrorPanel, Page, Skeleton, Time, useLoad, VirtualTable, type Column } from '../ui';
import { loadPipelines, type PipelineView } from './api';
import { NewPipeline } from './NewPipeline';

const at = (pipeline: PipelineView) => `/pipelines/${encodeURIComponent(pipeline.name)}`;

const COLUMNS: readonly Column<PipelineView>[] = [
  { key: 'name', head: 'Pipeline', width: 'minmax(8rem, 1fr)', cell: (pipeline) => <Link href={at(pipeline)} class="pipeline-link">{pipeline.name}</Link> },
  { key: 'partner', head: 'Partner', width: 'minmax(6rem, 1fr)', cell: (pipeline) => pipeline.partner },
  { key: 'path', head: 'Takes files at', width: 'minmax(8rem, 2fr)', optional: true, cell: (pipeline) => <code>{pipeline.path}</code> },
  { key: 'version', head: 'Live', width: '5.5rem', cell: (pipeline) => <Badge>v{pipeline.version}</Badge> },
  { key: 'updated', head: 'Changed', width: '8rem', align: 'end', cell: (pipeline) => <Time at={pipeline.updatedAt} /> },
];

/** All pipelines, with their live versions. */
export function PipelineList() {
  const [, navigate] = useLocation();
  const pipelines = useLoad(loadPipelines, []);
  const [naming, setNaming] = useState(false);
  const begin = hasRole('Engineer') && pipelines.data && (
    <Button icon="pipeline" onClick={() => setNaming(true)}>
      New pipeline
    </Button>
  );
  return (
    <Page title="Pipelines" fill actions={begin}>
      {pipelines.error && <ErrorPanel error={pipelines.error} title="The pipelines cannot be loaded" onRetry={pipelines.reload} />}
      {!pipelines.data && pipelines.loading && <Skeleton label="Loading pipelines" />}
      {pipelines.data?.length === 0 && (
        <Empty icon="pipeline" title="There is no pipeline yet">
          Files of a partner are taken as soon as a pipeline names its path. An engineer writes the first draft, and another person makes it live.
        </Empty>
      )}
      {pipelines.data && pipelines.data.length > 0 && (
        <VirtualTable
          label="Pipelines"
          items={pipelines.data}
          columns={COLUMNS}
          keyOf={(pipeline) => pipeline.name}
          onActivate={(pipeline) => navigate(at(pipeline))}
        />
      )}
      {naming && pipelines.data && <NewPipeline pipelines={pipelines.data} onClose={() => setNaming(false)} />}
    </Page>
  );
}
