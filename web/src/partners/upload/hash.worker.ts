/**
 * Reads a file once, in order, block by block: the SHA-256 of each block tells whether it is staged already, that of the
 * whole file is declared with the upload. It reads only when asked, so that memory is bounded by the blocks under way.
 * Pure JavaScript for the running hash: WebAssembly would need a weaker Content Security Policy.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

import { blockCount, blockRange } from './plan';

export interface Start {
  kind: 'start';
  file: File;
  size: number;
  blockBytes: number;
  /** Digests of the blocks that are staged. */
  staged: ReadonlyMap<number, string>;
}
export type ToHasher = Start | { kind: 'next' };

export type FromHasher =
  | { kind: 'block'; index: number; digest: string; bytes: ArrayBuffer }
  | { kind: 'staged'; index: number; length: number }
  | { kind: 'end'; sha256: string }
  | { kind: 'unreadable'; message: string };

let job: Start | null = null;
let index = 0;
const whole = sha256.create();
/** One block at a time, in order, however fast they are asked for. */
let queue: Promise<void> = Promise.resolve();

function answer(message: FromHasher, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

async function next(start: Start): Promise<void> {
  if (index >= blockCount(start)) {
    answer({ kind: 'end', sha256: bytesToHex(whole.digest()) });
    return;
  }
  const current = index;
  index += 1;
  const bytes = await start.file.slice(...blockRange(start, current)).arrayBuffer();
  const digest = crypto.subtle.digest('SHA-256', bytes);
  whole.update(new Uint8Array(bytes));
  const hex = bytesToHex(new Uint8Array(await digest));
  if (start.staged.get(current) === hex) answer({ kind: 'staged', index: current, length: bytes.byteLength });
  else answer({ kind: 'block', index: current, digest: hex, bytes }, [bytes]);
}

self.onmessage = (event: MessageEvent<ToHasher>) => {
  const message = event.data;
  if (message.kind === 'start') {
    job = message;
    return;
  }
  queue = queue.then(async () => {
    try {
      if (job) await next(job);
    } catch (error) {
      // The file was moved, deleted or changed on the disk.
      answer({ kind: 'unreadable', message: error instanceof Error ? error.message : String(error) });
    }
  });
};
