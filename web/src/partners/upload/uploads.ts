/** All uploads of this tab, and those that an earlier tab did not finish. They go on while the person looks at other pages. */

import { computed, signal } from '@preact/signals';

import { session } from '../../auth/session';
import type { Granted } from './grant';
import { blockBytes, isSameFile, type Plan } from './plan';
import { forgetPlan, plansOf } from './store';
import { unwrapped } from './unwrap';
import { Upload } from './upload';

export const uploads = signal<readonly Upload[]>([]);
const kept = signal<readonly Plan[]>([]);

/** Plans that nothing in this tab works on. */
export const interrupted = computed(() => kept.value.filter((plan) => !uploads.value.some((upload) => upload.plan.id === plan.id)));

const anyRunning = computed(() => uploads.value.some((upload) => ['sending', 'committing'].includes(upload.progress.value.phase)));

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

// A tab that is closed stops its uploads: the browser asks first, but only while there are any.
anyRunning.subscribe((running) => {
  if (running) addEventListener('beforeunload', ask);
  else removeEventListener('beforeunload', ask);
});

export interface Asked {
  file: File;
  path: string;
  partner: string | null;
  fixes: string | null;
  handle: FileSystemFileHandle | null;
  granted: Granted;
}

export function send({ file, path, partner, fixes, handle, granted }: Asked): Upload {
  const plan: Plan = {
    id: crypto.randomUUID(),
    owner: session.value?.oid ?? '',
    partner,
    path,
    name: file.name,
    size: file.size,
    lastModified: file.lastModified,
    blockBytes: blockBytes(file.size),
    fixes,
    startedAt: new Date().toISOString(),
    handle,
  };
  return begin(new Upload(plan, file, granted));
}

/** Reads the unfinished uploads of the person that is signed in. */
export async function loadInterrupted(): Promise<void> {
  kept.value = await plansOf(session.value?.oid ?? '');
}

/** Goes on with the file that was chosen again. Answers false, and does nothing, if it is another file. */
export async function goOn(plan: Plan, chosen: File): Promise<boolean> {
  const file = plan.fixes === null ? chosen : await unwrapped(chosen);
  if (!isSameFile(plan, file)) return false;
  begin(new Upload(plan, file, null));
  return true;
}

/** The file of a plan, where the browser kept a handle and the person lets it be read. */
export async function reopened(plan: Plan): Promise<File | null> {
  if (!plan.handle) return null;
  try {
    // The type of the DOM library lacks the permission methods.
    const handle = plan.handle as FileSystemFileHandle & { requestPermission(what: { mode: 'read' }): Promise<PermissionState> };
    if ((await handle.requestPermission({ mode: 'read' })) !== 'granted') return null;
    return await handle.getFile();
  } catch {
    // Moved or deleted: it can be chosen by hand.
    return null;
  }
}

/** Stops an upload and forgets what was staged. */
export async function discard(plan: Plan): Promise<void> {
  for (const upload of uploads.value) if (upload.plan.id === plan.id) upload.pause();
  close(plan);
  await forgetPlan(plan.id);
  await loadInterrupted();
}

/** Takes an upload that is over off the list. */
export function close(plan: Plan): void {
  uploads.value = uploads.value.filter((upload) => upload.plan.id !== plan.id);
  kept.value = kept.value.filter((other) => other.id !== plan.id);
}

function begin(upload: Upload): Upload {
  uploads.value = [upload, ...uploads.value];
  void upload.start();
  return upload;
}
