/** The beginning of a file against its contract, before gigabytes of it are sent. */

import { api, ok } from '../../api/client';
import type { Trial } from './outlook';

/** As the API has it. */
export const SAMPLE_BYTES = 4 * 1024 * 1024;

/** What would become of the file's first rows. Nothing is stored. */
export async function tryBeginning(file: File, path: string, partner: string | null): Promise<Trial> {
  const sample = await base64(file.slice(0, SAMPLE_BYTES));
  return ok(api.POST('/submissions/dry-run', { body: { path, size: file.size, sample, ...(partner !== null && { partner }) } }));
}

/** The browser encodes by itself, without a copy in a loop of ours. */
function base64(bytes: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error ?? new Error('the file cannot be read'));
    reader.readAsDataURL(bytes);
  });
}
