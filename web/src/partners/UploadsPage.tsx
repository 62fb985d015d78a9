/** Upload, and every file that was sent. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { Page, toast } from '../ui';
import { Submissions } from './Submissions';
import type { Chosen } from './upload/choose';
import { FileDrop } from './upload/FileDrop';
import { Interrupted } from './upload/Interrupted';
import { Prepare } from './upload/Prepare';
import { UploadCard } from './upload/UploadCard';
import { interrupted, loadInterrupted, uploads } from './upload/uploads';

let next = 1;

export function UploadsPage() {
  const chosen = useSignal<readonly (Chosen & { readonly key: number })[]>([]);
  useEffect(() => {
    loadInterrupted().catch(() => toast('This browser keeps no data for this site, so an interrupted upload cannot go on after the tab is closed.', 'info'));
  }, []);
  const remove = (key: number) => (chosen.value = chosen.value.filter((one) => one.key !== key));
  return (
    <Page title="Uploads">
      <FileDrop
        title="Send files"
        hint="CSV, NDJSON or Parquet, of any size. Drop them here. An interrupted upload goes on where it stopped."
        multiple
        onFiles={(files) => (chosen.value = [...chosen.value, ...files.map((one) => ({ ...one, key: next++ }))])}
      />
      {chosen.value.length + uploads.value.length + interrupted.value.length > 0 && (
        <ul class="upload-cards" aria-label="Uploads of this browser">
          {chosen.value.map((one) => (
            <Prepare key={one.key} chosen={one} path={one.file.name} onSent={() => remove(one.key)} onRemove={() => remove(one.key)} />
          ))}
          {uploads.value.map((upload) => (
            <UploadCard key={upload.plan.id} upload={upload} />
          ))}
          {interrupted.value.map((plan) => (
            <Interrupted key={plan.id} plan={plan} />
          ))}
        </ul>
      )}
      <Submissions />
    </Page>
  );
}
