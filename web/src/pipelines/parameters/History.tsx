import { Time } from '../../ui';
import type { ParametersHistory } from '../api';
import { authorName } from '../person';
import { changes } from './declared';

/** Who set what, when and why; newest first. */
export function History({ history }: { history: ParametersHistory }) {
  return (
    <section class="card parameters-history" aria-labelledby="history-head">
      <h2 id="history-head">History</h2>
      {history.versions.length === 0 && <p class="muted">Nobody has changed a value yet: all are the defaults of the pipeline.</p>}
      <ol class="parameters-versions">
        {history.versions.map((version, i) => {
          const before = (history.versions[i + 1]?.values ?? {}) as Record<string, unknown>;
          const changed = changes(before, version.values as Record<string, unknown>);
          return (
            <li key={version.version}>
              <div>
                <strong>Version {version.version}</strong>{' '}
                <span class="muted">
                  <Time at={version.createdAt} /> by <span title={version.createdBy}>{authorName(version.createdBy)}</span>
                </span>
                {changed.length === 0 && <p class="muted">no value changed</p>}
                {changed.map((change) => (
                  <p key={change.name}>
                    <code>{change.name}</code>: {change.from} → <strong>{change.to}</strong>
                  </p>
                ))}
                {version.comment && <q class="muted">{version.comment}</q>}
              </div>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
