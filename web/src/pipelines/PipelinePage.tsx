import { Link, useLocation } from 'wouter-preact';

import { hasRole } from '../auth/session';
import { Badge, Empty, ErrorPanel, Page, Skeleton, Tabs, useLoad } from '../ui';
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
  const address = `/pipelines/${encodeURIComponent(name)}`;
  if (live.data === undefined || draft.data === undefined) {
    const error = live.error ?? draft.error;
    const reload = () => {
      live.reload();
      draft.reload();
    };
    return (
      <Page title={name} back={BACK}>
        {error ? <ErrorPanel error={error} title="The pipeline cannot be shown" onRetry={reload} /> : <Skeleton label="Loading the pipeline" lines={10} />}
      </Page>
    );
  }
  const editor = (
    <DraftPanel
      name={name}
      live={live.data}
      draft={draft.data}
      onDraft={draft.setData}
      onReload={draft.reload}
      onLive={(texts) => {
        live.setData(texts);
        draft.setData(null);
        navigate(`${address}/versions`);
      }}
    />
  );
  if (live.data === null) {
    const isUnknown = draft.data === null && !hasRole('Engineer');
    return (
      <Page title={name} heading={<>{name} <Badge tone="warn">not live</Badge></>} back={BACK}>
        {isUnknown ? <Empty icon="pipeline" title="There is no pipeline of this name">Look at the list of pipelines for those that there are.</Empty> : editor}
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
        onChange={(key) => navigate(`${address}${key === 'live' ? '' : `/${key}`}`, { replace: true })}
      >
        {panel === 'live' && <Live texts={live.data} />}
        {panel === 'draft' && editor}
        {panel === 'versions' && <VersionsPanel key={version} name={name} />}
        {panel === 'parameters' && <ParametersPanel name={name} pipeline={live.data.pipeline} />}
      </Tabs>
    </Page>
  );
}
