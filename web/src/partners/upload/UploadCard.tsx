/** One upload of this tab: how far it is, how fast, and what became of it. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Link } from 'wouter-preact';

import { type ApiError, asApiError } from '../../api/client';
import type { RunSummary } from '../../api/extra';
import { Button, Bytes, ErrorPanel, formatDuration, Meter } from '../../ui';
import { arrival } from './arrival';
import type { Progress, Upload } from './upload';
import { close, discard } from './uploads';

/** A run begins within seconds; after that the list below shows it. */
const PATIENCE_MS = 60_000;

export function UploadCard({ upload }: { upload: Upload }) {
  const { plan } = upload;
  const progress = upload.progress.value;
  const percent = plan.size === 0 ? 100 : Math.floor((progress.sent / plan.size) * 100);
  return (
    <li class="upload-card" aria-label={plan.name}>
      <div class="upload-title">
        <strong>{plan.name}</strong>
        <span class="muted">to {plan.path}</span>
      </div>
      {progress.phase !== 'done' && <Meter value={progress.sent} max={plan.size} label={`${plan.name}: ${percent} % sent`} />}
      <div class="upload-facts" role={progress.phase === 'failed' ? 'alert' : undefined}>
        <Facts progress={progress} size={plan.size} percent={percent} />
      </div>
      {progress.phase === 'done' && progress.grantId !== null && <Arrived upload={upload} grantId={progress.grantId} />}
      <div class="actions">
        {upload.running && <Button onClick={() => upload.pause()}>Pause</Button>}
        {(progress.phase === 'paused' || (progress.phase === 'failed' && progress.fault?.again)) && (
          <Button kind="primary" onClick={() => void upload.start()}>
            Continue
          </Button>
        )}
        {progress.phase === 'done' ? (
          <Button kind="quiet" onClick={() => close(plan)}>
            Take off the list
          </Button>
        ) : (
          progress.phase !== 'committing' && (
            <Button kind="quiet" onClick={() => void discard(plan)}>
              Discard
            </Button>
          )
        )}
      </div>
    </li>
  );
}

function Facts({ progress, size, percent }: { progress: Progress; size: number; percent: number }) {
  const { phase, sent, resumed, speed, waiting, fault, sha256 } = progress;
  if (fault) {
    return (
      <>
        <strong>{fault.title}.</strong> {fault.detail}
      </>
    );
  }
  if (phase === 'done') {
    return (
      <>
        Sent, <Bytes value={size} />. SHA-256 declared: <code class="hash">{sha256}</code>
      </>
    );
  }
  return (
    <>
      <span>
        {percent} % · <Bytes value={sent} /> of <Bytes value={size} />
      </span>
      {resumed > 0 && (
        <span>
          <Bytes value={resumed} /> were sent before
        </span>
      )}
      {waiting && <span>No connection; it goes on by itself once it is back</span>}
      {phase === 'paused' && <span>Paused; what was sent is kept for a week</span>}
      {phase === 'committing' && <span>Completing</span>}
      {phase === 'sending' && !waiting && speed > 0 && (
        <>
          <span>
            <Bytes value={speed} />
            /s
          </span>
          <span>{formatDuration(((size - sent) / speed) * 1000)} left</span>
        </>
      )}
    </>
  );
}

/** The way from the upload to its run. */
function Arrived({ upload, grantId }: { upload: Upload; grantId: string }) {
  const run = useSignal<RunSummary | null>(null);
  const error = useSignal<ApiError | null>(null);
  const isLate = useSignal(false);
  useEffect(() => {
    arrival(grantId, upload.progress.value.grantedAt, PATIENCE_MS).then(
      (found) => {
        run.value = found;
        isLate.value = found === null;
      },
      (thrown: unknown) => (error.value = asApiError(thrown)),
    );
  }, [grantId]);
  if (error.value) return <ErrorPanel error={error.value} />;
  if (run.value) {
    return (
      <p>
        <Link href={`/uploads/${run.value.submissionId}`}>See what becomes of it</Link>
      </p>
    );
  }
  if (isLate.value) return <p>The file is there and nothing is lost, but its work has not begun yet. It will show in the list below.</p>;
  return (
    <p class="muted" role="status">
      Waiting for Sluice to notice it…
    </p>
  );
}
