/** The way back for rejected rows: repaired, and sent as a file of their own that is joined to this one. */

import { useSignal } from '@preact/signals';
import { Link } from 'wouter-preact';

import { type ApiError, asApiError } from '../../api/client';
import type { RunSummary } from '../../api/extra';
import { ErrorPanel } from '../../ui';
import { type Chosen } from '../upload/choose';
import { FileDrop } from '../upload/FileDrop';
import { fixesPath } from '../upload/path';
import { Prepare } from '../upload/Prepare';
import { unwrapped } from '../upload/unwrap';
import { UploadCard } from '../upload/UploadCard';
import { uploads } from '../upload/uploads';

interface Props {
  readonly run: RunSummary;
  /** Runs of the files that repair this one. */
  readonly fixedBy: readonly string[];
}

export function Fixes({ run, fixedBy }: Props) {
  const chosen = useSignal<Chosen | null>(null);
  const error = useSignal<ApiError | null>(null);
  const own = uploads.value.filter((upload) => upload.plan.fixes === run.submissionId);
  const take = async ([first]: Chosen[]): Promise<void> => {
    if (!first) return;
    error.value = null;
    try {
      chosen.value = { ...first, file: await unwrapped(first.file) };
    } catch (thrown) {
      error.value = asApiError(thrown);
    }
  };
  return (
    <section class="panel" id="fixes" aria-labelledby="fixes-title">
      <h2 id="fixes-title">Send the repaired rows</h2>
      <p>
        Download the rejected rows, repair them, and send that file here: only those rows, with the columns <code>_row</code>, <code>_line</code> and{' '}
        <code>_problems</code> left in or taken out. They are checked like any other file and joined to this upload.
      </p>
      {fixedBy.length > 0 && (
        <p>
          Repaired by{' '}
          {fixedBy.map((id, at) => (
            <span key={id}>
              {at > 0 && ', '}
              <Link href={`/uploads/${id}`}>upload {at + 1}</Link>
            </span>
          ))}
        </p>
      )}
      {error.value && <ErrorPanel error={error.value} title="The file cannot be read" />}
      {chosen.value === null ? (
        <FileDrop title="Repaired rows" hint="Drop the file here." onFiles={(files) => void take(files)} />
      ) : (
        <ul class="upload-cards" aria-label="Repaired rows to send">
          <Prepare
            chosen={chosen.value}
            path={fixesPath(run.path, fixedBy.length + own.length + 1)}
            partner={run.partner}
            fixes={run.submissionId}
            onSent={() => (chosen.value = null)}
            onRemove={() => (chosen.value = null)}
          />
        </ul>
      )}
      {own.length > 0 && (
        <ul class="upload-cards" aria-label="Repaired rows that were sent">
          {own.map((upload) => (
            <UploadCard key={upload.plan.id} upload={upload} />
          ))}
        </ul>
      )}
    </section>
  );
}
