import { Link } from 'wouter-preact';

import { useLoad, Icon } from '../../ui';
import { hasEnded } from '../state';
import { loadAttempts, type Run } from './load';

/** Whether anything was lost, and what to do. */
const AFTER: Readonly<Record<string, string>> = {
  rejected:
    'None of its rows was published, and the file itself is kept. The partner sees this reason and can send a corrected file; if the pipeline is at fault, change it and reprocess.',
  failed: 'None of its rows was published, and none is lost: the file itself is kept. Once the cause is gone, an operator can reprocess it.',
};

/** What a person must know before anything else. */
export function Notices({ run }: { run: Run }) {
  const attempts = useLoad(() => loadAttempts(run.submissionId), [run.submissionId, run.state]);
  const newest = attempts.data?.[0];
  const place = (failure: { line?: number | null; offset?: number | null }) =>
    failure.line == null ? '' : ` Line ${failure.line} of the file${failure.offset == null ? '' : `, byte ${failure.offset}`}.`;
  return (
    <>
      {run.deadLetter && (
        <div class="notice notice-bad" role="alert">
          <Icon name="alert" />
          <div>
            <p class="notice-title">Stuck at {run.deadLetter.step} <code>{run.deadLetter.code}</code></p>
            <p>{run.deadLetter.message}</p>
            <p>
              Nothing is lost: the work done so far is kept. Once the cause is gone, an operator can resend the message, and the run goes on from here
              {hasEnded(run) && ': its outcome stays, what is missing is its archive with the receipt'}.
            </p>
          </div>
        </div>
      )}
      {run.failure && (
        <div class="notice notice-bad">
          <Icon name="alert" />
          <div>
            <p class="notice-title">
              {run.state === 'rejected' ? 'The file was refused' : 'The run failed'} at {run.failure.step} <code>{run.failure.code}</code>
            </p>
            <p>{run.failure.message}{place(run.failure)}</p>
            {AFTER[run.state] && <p>{AFTER[run.state]}</p>}
          </div>
        </div>
      )}
      {newest && newest.runId !== run.runId && newest.attempt > run.attempt && (
        <div class="notice notice-info">
          <Icon name="info" />
          <p>
            There is a later attempt of this submission: <Link href={`/runs/${newest.runId}`}>attempt {newest.attempt}</Link>.
          </p>
        </div>
      )}
      {run.repeats && run.repeats !== run.submissionId && (
        <div class="notice notice-warn">
          <Icon name="alert" />
          <p>
            The same bytes came before, as <Link href={`/runs/${run.repeats}-1`}>{run.repeats}</Link>.
          </p>
        </div>
      )}
      {run.fixes && (
        <div class="notice notice-info">
          <Icon name="info" />
          <p>
            This file has only the repaired rows of <Link href={`/runs/${run.fixes}-1`}>{run.fixes}</Link>.
          </p>
        </div>
      )}
      {run.fixedBy && run.fixedBy.length > 0 && (
        <div class="notice notice-info">
          <Icon name="info" />
          <p>
            Rejected rows of this file came again, repaired:{' '}
            {run.fixedBy.map((fix, i) => (
              <span key={fix}>
                {i > 0 && ', '}
                <Link href={`/runs/${fix}`}>{fix}</Link>
              </span>
            ))}
            .
          </p>
        </div>
      )}
    </>
  );
}
