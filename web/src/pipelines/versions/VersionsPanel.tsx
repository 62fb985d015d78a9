import { useState } from 'preact/hooks';

import { Badge, ErrorPanel, Select, Skeleton, Time, useLoad } from '../../ui';
import { loadVersion, loadVersions, type PipelineTexts, type VersionView } from '../api';
import { authorName } from '../person';
import { DiffView } from './DiffView';

/** All versions, and what differs between two of them. */
export function VersionsPanel({ name }: { name: string }) {
  const versions = useLoad(() => loadVersions(name), [name]);
  if (versions.error) return <ErrorPanel error={versions.error} title="The versions cannot be loaded" onRetry={versions.reload} />;
  if (!versions.data) return <Skeleton label="Loading versions" />;
  return <Versions name={name} versions={versions.data} />;
}

function Versions({ name, versions }: { name: string; versions: readonly VersionView[] }) {
  const newest = versions[0]!.version;
  const [after, setAfter] = useState(newest);
  const [before, setBefore] = useState(Math.max(newest - 1, 1));
  const options = versions.map((version) => ({ value: String(version.version), label: `Version ${version.version}` }));
  return (
    <div class="versions">
      <ol class="version-list">
        {versions.map((version) => (
          <li key={version.version}>
            <button
              type="button"
              class="list-button version"
              aria-pressed={version.version === after}
              onClick={() => {
                setAfter(version.version);
                setBefore(Math.max(version.version - 1, 1));
              }}
            >
              <span class="version-name">
                v{version.version} {version.version === newest && <Badge tone="good">live</Badge>}
              </span>
              <span class="muted">
                <Time at={version.createdAt} /> by <span title={version.createdBy}>{authorName(version.createdBy, version.createdByName)}</span>
                {version.approvedBy && `, approved by ${authorName(version.approvedBy, version.approvedByName)}`}
              </span>
            </button>
          </li>
        ))}
      </ol>
      <div class="version-diff">
        <div class="version-choice">
          <Select label="From" value={String(before)} options={options} onChange={(value) => setBefore(Number(value))} />
          <Select label="To" value={String(after)} options={options} onChange={(value) => setAfter(Number(value))} />
        </div>
        {versions.length === 1 ? <p class="muted">There is only one version: nothing to compare it with.</p> : <Difference name={name} before={before} after={after} />}
      </div>
    </div>
  );
}

function Difference({ name, before, after }: { name: string; before: number; after: number }) {
  const both = useLoad(() => Promise.all([loadVersion(name, before), loadVersion(name, after)]), [name, before, after]);
  if (both.error) return <ErrorPanel error={both.error} title="The versions cannot be compared" onRetry={both.reload} />;
  if (!both.data) return <Skeleton label="Loading both versions" />;
  const [old, now] = both.data as [PipelineTexts, PipelineTexts];
  return (
    <>
      <DiffView title="Pipeline" before={old.pipeline} after={now.pipeline} />
      <DiffView title="Contract" before={old.contract} after={now.contract} />
    </>
  );
}
