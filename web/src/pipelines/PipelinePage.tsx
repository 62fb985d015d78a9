import { Link, useLocation } from 'wouter-preact';

import { Badge, ErrorPanel, Page, Skeleton, Tabs, useLoad } from '../ui';
import { loadDraft, loadLive } from './api';
import { DraftPanel } from './draft/DraftPanel';
import { Live } from './Live';
import { ParametersPanel } from './parameters/ParametersPanel';
import { VersionsPanel } from './versions/VersionsPanel';

const BACK = { href: '/pipelines', label: 'pipelines' };

interface Props {
  readonly name: string;
  readonly panel: string;
}

/** One pipeline: what is live, how it came to be, what is planned, and the values that can be changed. */
export function PipelinePage({ name, panel }: Props) {
  const [, navigate] = useLocation();
  const live = useLoad(() => loadLive(name), [name]);
  const draft = useLoad(() => loadDraft(name), [name]);
  if (!live.data) {
    return (
      <Page title={name} back={BACK}>
        {live.error ? <ErrorPanel error={live.error} title="The pipeline cannot be shown" onRetry={live.reload} /> : <Skeleton label="Loading the pipeline" lines={10} />}
      </Page>
    );
  }
  const version = live.data.version;
  return (
    <Page
      title={name}
      heading={
        <>
          {name} <Badge tone="good">v{version} live</Badge>
        </>
      }
      back={BACK}
      actions={<Link href={`/runs?pipeline=${encodeURIComponent(name)}`} class="button button-secondary">Its runs</Link>}
    >
      <Tabs
        label="Parts of the pipeline"
        tabs={[
          { key: 'live', label: 'Live' },
          { key: 'draft', label: draft.data ? 'Draft (1)' : 'Draft' },
          { key: 'versions', label: 'Versions' },
          { key: 'parameters', label: 'Parameters' },
        ]}
        current={panel}
        onChange={(key) => navigate(`/pipelines/${encodeURIComponent(name)}${key === 'live' ? '' : `/${key}`}`, { replace: true })}
      >
        {panel === 'live' && <Live texts={live.data} />}
        {panel === 'draft' &&
          (draft.error ? (
            <ErrorPanel error={draft.error} title="The draft cannot be loaded" onRetry={draft.reload} />
          ) : draft.data === undefined ? (
            <Skeleton label="Loading the draft" lines={10} />
          ) : (
            <DraftPanel
              name={name}
              live={live.data}
              draft={draft.data}
              onDraft={draft.setData}
              onReload={draft.reload}
              onLive={(texts) => {
                live.setData(texts);
                draft.setData(null);
                navigate(`/pipelines/${encodeURIComponent(name)}/versions`);
              }}
            />
          ))}
        {panel === 'versions' && <VersionsPanel key={version} name={name} />}
        {panel === 'parameters' && <ParametersPanel name={name} pipeline={live.data.pipeline} />}
      </Tabs>
    </Page>
  );
}
