/** The first rejected rows of a run. */

import { apiUrl, send } from '../../api/client';
import { errorOf } from '../../api/problem';
import { csvRows, ndjsonRows, type RejectedRow } from './rejected';

export interface RejectedHead {
  readonly rows: readonly RejectedRow[];
  /** Whether there are more rows than these. */
  readonly more: boolean;
}

/** Read at most: a page shows the beginning, the download has everything. */
const HEAD_BYTES = 512 * 1024;

export async function rejectedHead(run: string): Promise<RejectedHead> {
  const response = await send(new Request(apiUrl(`/submissions/${encodeURIComponent(run)}/rejected`)));
  if (!response.ok) throw await errorOf(response);
  const { text, more } = await head(response);
  const isJson = response.headers.get('content-type')?.includes('ndjson') ?? false;
  return { rows: isJson ? ndjsonRows(text, more) : csvRows(text, more), more };
}

async function head(response: Response): Promise<{ text: string; more: boolean }> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return { text: text + decoder.decode(), more: false };
    bytes += part.value.byteLength;
    text += decoder.decode(part.value, { stream: true });
    if (bytes >= HEAD_BYTES) {
      await reader?.cancel();
      return { text, more: true };
    }
  }
}
