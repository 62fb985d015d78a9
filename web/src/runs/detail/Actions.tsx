import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';

import { asApiError, download } from '../../api/client';
import { hasRole } from '../../auth/session';
import { Button, Confirm, toast, useShortcuts } from '../../ui';
import { canCancel, hasEnded } from '../state';
import { cancel, reprocess, resume, type Run } from './load';

type Ask = 'resume' | 'cancel' | 'reprocess';

interface Props {
  readonly run: Run;
  readonly onChanged: (run: Run) => void;
}

/** Rows that are in a table would be there twice. */
const canReprocess = (run: Run): boolean => hasEnded(run) && run.tableVersion == null;

/** Downloads for those who may see rows, and what an operator can do about a run. */
export function Actions({ run, onChanged }: Props) {
  const [ask, setAsk] = useState<Ask | null>(null);
  const [, navigate] = useLocation();
  const isOperator = hasRole('Operator');
  const hasRejected = run.receipt && (run.counts?.rejected ?? 0) > 0 && hasRole('Reviewer', 'Operator', 'Engineer');
  const base = `/submissions/${encodeURIComponent(run.runId)}`;
  const fileName = run.path.split('/').at(-1) ?? run.path;

  const save = (path: string, name: string) =>
    download(path, name).catch((error: unknown) => toast(`${name} could not be downloaded. ${asApiError(error).detail}`, 'bad'));
  const saveReceipt = () => void save(`${base}/receipt`, `${run.runId}-receipt.json`);
  // ?safe: a spreadsheet must not take a partner's text for a formula.
  const saveRejected = () => void save(`${base}/rejected?safe=true`, `rejected-${fileName.replace(/\.(gz|zst|parquet)$/i, '')}`);

  useShortcuts({
    d: { label: 'Download the rejected rows', run: saveRejected, off: !hasRejected },
    e: { label: 'Download the receipt', run: saveReceipt, off: !run.receipt },
  });
  return (
    <>
      {hasRejected && <Button icon="download" onClick={saveRejected}>Rejected rows</Button>}
      {run.receipt && <Button icon="download" onClick={saveReceipt}>Receipt</Button>}
      {isOperator && run.deadLetter && <Button kind="primary" icon="play" onClick={() => setAsk('resume')}>Resend</Button>}
      {isOperator && canReprocess(run) && <Button icon="refresh" onClick={() => setAsk('reprocess')}>Reprocess</Button>}
      {isOperator && canCancel(run) && <Button icon="ban" onClick={() => setAsk('cancel')}>Cancel run</Button>}
      {ask === 'resume' && (
        <Confirm
          title="Resend the message?"
          action="Resend"
          onClose={() => setAsk(null)}
          onConfirm={async () => {
            onChanged(await resume(run.runId));
            toast('The message was sent again. The run goes on from its current step.');
          }}
        >
          <p>The step <strong>{run.deadLetter?.step}</strong> gets its message again. Work that is done already is not done twice.</p>
          <p>If the cause of the dead letter is not gone, the run will be stuck again.</p>
        </Confirm>
      )}
      {ask === 'cancel' && (
        <Confirm
          title="Cancel this run?"
          action="Cancel the run"
          danger
          onClose={() => setAsk(null)}
          onConfirm={async () => {
            onChanged(await cancel(run.runId));
            toast('The run is cancelled. Nothing of it is published.');
          }}
        >
          <p>
            Nothing of <strong>{run.path}</strong> will be published
            {run.openCases > 0 ? `, and ${run.openCases} open review ${run.openCases === 1 ? 'case becomes' : 'cases become'} void` : ''}.
          </p>
          <p>This cannot be taken back, but the file is kept: it can be reprocessed as a new attempt.</p>
        </Confirm>
      )}
      {ask === 'reprocess' && (
        <Confirm
          title="Reprocess this file?"
          action="Reprocess"
          onClose={() => setAsk(null)}
          onConfirm={async () => {
            const next = await reprocess(run.runId);
            toast(`Attempt ${next.attempt} has started.`);
            navigate(`/runs/${next.runId}`);
          }}
        >
          <p>
            A new attempt of <strong>{run.path}</strong> starts, with the pipeline, the parameters and the reference tables that are live now.
          </p>
          <p>This attempt stays as it is.</p>
        </Confirm>
      )}
    </>
  );
}
