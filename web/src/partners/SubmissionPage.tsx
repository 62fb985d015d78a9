/** What became of one file. */

import { useSignal } from '@preact/signals';
import { Link } from 'wouter-preact';

import { api, download, ok } from '../api/client';
import type { RunDetail, RunSummary } from '../api/extra';
import { useChanges } from '../api/live';
import { Bytes, Button, ErrorPanel, Page, Skeleton, Time, toast, useLoad } from '../ui';
import { Failure } from './outcome/Failure';
import { Fixes } from './outcome/Fixes';
import { Outcome } from './outcome/Outcome';
import { Problems } from './outcome/Problems';
import { findings } from './outcome/problems';
import { ReceiptFacts } from './outcome/ReceiptFacts';
import { rejectedHead } from './outcome/rejectedHead';
import { RejectedRows } from './outcome/RejectedRows';
import { SentBack } from './outcome/SentBack';
import { Steps } from './outcome/Steps';
import { StageBadge } from './Submissions';

async function load(id: string): Promise<RunDetail> {
  const { runs } = await ok(api.GET('/submissions/{id}', { params: { path: { id } } }));
  const newest = runs.reduce<RunSummary | null>((best, run) => (best && best.attempt >= run.attempt ? best : run), null);
  // The API answers 404 instead of an empty list.
  return ok(api.GET('/runs/{run}', { params: { path: { run: newest!.runId } } }));
}

export function SubmissionPage({ id }: { readonly id: string }) {
  const run = useLoad(() => load(id), [id]);
  const found = useLoad(async () => (run.data ? findings(run.data) : null), [run.data?.runId, run.data?.receipt, run.data?.counts?.rows]);
  const rejected = run.data?.counts?.rejected ?? 0;
  const hasRejectedRows = rejected > 0 || run.data?.failure?.code === 'F0031';
  // A review can add some.
  const head = useLoad(async () => (run.data && hasRejectedRows ? rejectedHead(run.data.runId) : null), [run.data?.runId, rejected, hasRejectedRows]);
  useChanges((changed) => {
    if (changed.some((one) => one.submissionId === run.data?.submissionId)) run.reload();
  });
  const back = { href: '/uploads', label: 'Uploads' };
  if (!run.data) {
    return (
      <Page title="Upload" back={back}>
        {run.error ? <ErrorPanel error={run.error} title="The upload cannot be shown" onRetry={run.reload} /> : <Skeleton />}
      </Page>
    );
  }
  const { data } = run;
  return (
    <Page title={data.path} back={back} actions={<Downloads run={data} hasRejectedRows={hasRejectedRows} />}>
      <p class="submission-facts">
        <StageBadge run={data} />
        <Bytes value={data.size} />
        <span>
          received <Time at={data.createdAt} />
        </span>
        {data.pipeline && <span>checked by the pipeline {data.pipeline}</span>}
        {data.fixes && (
          <span>
            repairs <Link href={`/uploads/${data.fixes}`}>an earlier upload</Link>
          </span>
        )}
      </p>
      {run.error && <ErrorPanel error={run.error} title="The newest state cannot be read" onRetry={run.reload} />}
      {data.failure ? <Failure failure={data.failure} /> : <Steps run={data} />}
      {data.counts && <Outcome counts={data.counts} />}
      {data.counts && <SentBack count={data.counts.returned} rows={head.data?.rows ?? null} fixes="fixes" />}
      {found.error && <ErrorPanel error={found.error} title="The reasons cannot be read" onRetry={found.reload} />}
      {found.data && <Problems problems={found.data.problems} />}
      {hasRejectedRows && <RejectedRows head={head} />}
      {hasRejectedRows && data.counts && <Fixes run={data} fixedBy={data.fixedBy} />}
      {found.data?.receipt && <ReceiptFacts receipt={found.data.receipt} />}
    </Page>
  );
}

function Downloads({ run, hasRejectedRows }: { readonly run: RunSummary; readonly hasRejectedRows: boolean }) {
  const busy = useSignal<string | null>(null);
  const save = async (what: string, path: string, name: string): Promise<void> => {
    busy.value = what;
    try {
      await download(path, name);
    } catch (error) {
      toast(`${what} could not be downloaded: ${error instanceof Error ? error.message : String(error)}`, 'bad');
    } finally {
      busy.value = null;
    }
  };
  const id = encodeURIComponent(run.runId);
  const ending = /\.(nd)?jsonl?(\.\w+)?$/.test(run.path) ? 'ndjson' : 'csv';
  return (
    <>
      {hasRejectedRows && (
        <>
          <Button
            icon="download"
            busy={busy.value === 'Rejected rows for a spreadsheet'}
            title="Cells that a spreadsheet would run as a formula begin with an apostrophe"
            onClick={() => void save('Rejected rows for a spreadsheet', `/submissions/${id}/rejected?safe=true`, `${run.runId}-rejected-safe.${ending}`)}
          >
            For a spreadsheet
          </Button>
          <Button
            icon="download"
            busy={busy.value === 'Rejected rows'}
            title="Exactly as you sent them, with row, line and reasons; for programs"
            onClick={() => void save('Rejected rows', `/submissions/${id}/rejected`, `${run.runId}-rejected.${ending}`)}
          >
            Rejected rows
          </Button>
        </>
      )}
      {run.receipt && (
        <Button icon="download" busy={busy.value === 'Receipt'} onClick={() => void save('Receipt', `/submissions/${id}/receipt`, `${run.runId}-receipt.json`)}>
          Receipt
        </Button>
      )}
    </>
  );
}
