/** The worker as an object: one reader of one file. */

import workerUrl from './hash.worker?worker&url';

import type { FromHasher, ToHasher } from './hash.worker';
import type { Plan } from './plan';

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}

/** Under Trusted Types a worker's address must come from a policy; this one knows a single address. */
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('hash-worker', {
  createScriptURL(url) {
    if (url !== workerUrl) throw new TypeError('not the address of the hash worker');
    return url;
  },
});

export class Hasher {
  readonly #worker: Worker;
  #waiting: ((message: FromHasher) => void) | null = null;

  constructor(file: File, plan: Pick<Plan, 'size' | 'blockBytes'>, staged: ReadonlyMap<number, string>) {
    const address = policy?.createScriptURL(workerUrl) ?? workerUrl;
    this.#worker = new Worker(address as string, { type: 'module', name: 'hasher' });
    this.#worker.onmessage = (event: MessageEvent<FromHasher>) => this.#settle(event.data);
    this.#worker.onerror = (event) => this.#settle({ kind: 'unreadable', message: event.message });
    this.#send({ kind: 'start', file, size: plan.size, blockBytes: plan.blockBytes, staged });
  }

  /** The next block. Ask again only after the answer. */
  next(): Promise<FromHasher> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#send({ kind: 'next' });
    });
  }

  stop(): void {
    this.#worker.terminate();
  }

  #settle(message: FromHasher): void {
    this.#waiting?.(message);
    this.#waiting = null;
  }

  #send(message: ToHasher): void {
    this.#worker.postMessage(message);
  }
}
