/** One file on its way: reader and hasher in a worker, several senders, bounded memory, and an account of what is staged. */

import { signal } from '@preact/signals';

import { ApiError, asApiError } from '../../api/client';
import { arrival } from './arrival';
import { BlobFault, putBlock, putBlockList } from './blob';
import { uploadFault, type UploadFault } from './fault';
import { askGrant, grantedAt, type Granted } from './grant';
import { Hasher } from './hasher';
import { blockCount, blockId, type Plan } from './plan';
import { retried } from './retry';
import { Speed } from './speed';
import { forgetPlan, forgetStaged, noteStaged, savePlan, stagedOf } from './store';

/** Blocks under way at once; the browser opens six connections to one host. */
const PARALLEL = 5;
/** How long a run may take to show that a commit whose answer was lost has worked. */
const COMMIT_PATIENCE_MS = 10_000;

export type Phase = 'sending' | 'committing' | 'done' | 'paused' | 'failed';

export interface Progress {
  readonly phase: Phase;
  /** Bytes that are staged or under way, of the plan's size. */
  readonly sent: number;
  /** Bytes of them that an earlier try had staged. */
  readonly resumed: number;
  /** Bytes a second. */
  readonly speed: number;
  /** Whether the work stands still until the connection is back. */
  readonly waiting: boolean;
  readonly fault: UploadFault | null;
  /** What to ask the API for once it is done. */
  readonly grantId: string | null;
  /** Milliseconds: no run of this upload can be older. */
  readonly grantedAt: number;
  readonly sha256: string | null;
}

const FRESH: Progress = { phase: 'paused', sent: 0, resumed: 0, speed: 0, waiting: false, fault: null, grantId: null, grantedAt: 0, sha256: null };

/** Without the browser's database only the going on in another tab is lost, so a browser that keeps nothing is no fault. */
function kept<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch(() => undefined);
}

/** The file changed while it was read. */
class Unreadable extends Error {}

export class Upload {
  readonly progress = signal<Progress>(FRESH);
  #stop: AbortController | null = null;
  #granted: Granted | null = null;
  readonly #speed = new Speed();
  /** Bytes of blocks that are staged, and of each block under way. */
  #staged = 0;
  readonly #underWay = new Map<number, number>();

  constructor(
    readonly plan: Plan,
    readonly file: File,
    granted: Granted | null,
  ) {
    this.#granted = granted;
  }

  get running(): boolean {
    const { phase } = this.progress.value;
    return phase === 'sending' || phase === 'committing';
  }

  /** Begins, or goes on. */
  async start(): Promise<void> {
    if (this.running || this.progress.value.phase === 'done') return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#speed.reset();
    this.#set({ phase: 'sending', fault: null, waiting: false });
    try {
      // One upload of a plan at a time, in whatever tab.
      await navigator.locks.request(`sluice-upload:${this.plan.id}`, { ifAvailable: true }, async (lock) => {
        if (lock === null) throw new BlobFault(409, 'OtherTab');
        await kept(savePlan(this.plan));
        await this.#run(stop.signal);
      });
      await kept(forgetPlan(this.plan.id));
      this.#set({ phase: 'done', sent: this.plan.size, speed: 0 });
    } catch (error) {
      if (stop.signal.aborted) this.#set({ phase: 'paused', speed: 0, waiting: false });
      else this.#set({ phase: 'failed', speed: 0, waiting: false, fault: this.#explain(error) });
    } finally {
      stop.abort();
    }
  }

  pause(): void {
    this.#stop?.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    let staged = (await kept(stagedOf(this.plan.id))) ?? new Map<number, string>();
    for (;;) {
      const sha256 = await this.#stage(staged, signal);
      this.#set({ phase: 'committing', sha256 });
      try {
        await this.#commit(sha256, signal);
        return;
      } catch (error) {
        if (error instanceof BlobFault && error.exists && (await this.#arrived())) return;
        // Blocks of an earlier try have expired: everything is sent once more.
        if (!(error instanceof BlobFault && error.blocksAreGone && staged.size > 0)) throw error;
        await kept(forgetStaged(this.plan.id));
        staged = new Map();
        this.#set({ phase: 'sending' });
      }
    }
  }

  /** Sends every block that is not staged; answers with the SHA-256 of the file. */
  async #stage(staged: ReadonlyMap<number, string>, signal: AbortSignal): Promise<string> {
    this.#staged = 0;
    this.#underWay.clear();
    this.#set({ resumed: 0, sent: 0 });
    const hasher = new Hasher(this.file, this.plan, staged);
    const senders = new Set<Promise<void>>();
    // The first block that fails ends the reading, too.
    let fail: (reason: unknown) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => undefined);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    const inner = new AbortController();
    try {
      for (;;) {
        const read = await Promise.race([hasher.next(), failed]);
        if (read.kind === 'unreadable') throw new Unreadable(read.message);
        if (read.kind === 'end') {
          await Promise.race([Promise.all(senders), failed]);
          return read.sha256;
        }
        if (read.kind === 'staged') {
          this.#staged += read.length;
          this.#set({ resumed: this.progress.value.resumed + read.length });
          this.#count();
          continue;
        }
        const sender = this.#send(read.index, read.digest, read.bytes, AbortSignal.any([signal, inner.signal]));
        const tracked = sender.catch(fail).finally(() => senders.delete(tracked));
        senders.add(tracked);
        while (senders.size >= PARALLEL) await Promise.race([...senders, failed]);
      }
    } finally {
      inner.abort();
      hasher.stop();
    }
  }

  async #send(index: number, digest: string, bytes: ArrayBuffer, signal: AbortSignal): Promise<void> {
    const length = bytes.byteLength;
    await this.#granting(signal, (url) =>
      putBlock(url, blockId(index), bytes, signal, (sent) => {
        this.#underWay.set(index, sent);
        this.#count();
      }),
    );
    this.#underWay.delete(index);
    this.#staged += length;
    this.#count();
    await kept(noteStaged(this.plan.id, index, digest));
  }

  /** Whether the file is there although the answer to the commit was lost. */
  async #arrived(): Promise<boolean> {
    const granted = this.#granted;
    return granted !== null && (await arrival(granted.grantId, grantedAt(granted), COMMIT_PATIENCE_MS)) !== null;
  }

  #commit(sha256: string, signal: AbortSignal): Promise<void> {
    const ids = Array.from({ length: blockCount(this.plan) }, (_, index) => blockId(index));
    const type = this.file.type === '' ? 'application/octet-stream' : this.file.type;
    return this.#granting(signal, (url) => putBlockList(url, ids, sha256, type, signal));
  }

  /** Works with a grant; with a new one, once, if it has expired. */
  async #granting(signal: AbortSignal, work: (url: string) => Promise<void>): Promise<void> {
    const onWait = (waiting: boolean): void => {
      if (this.progress.value.waiting !== waiting) this.#set({ waiting });
    };
    const granted = await this.#grant();
    try {
      await retried(() => work(granted.url), signal, onWait);
    } catch (error) {
      if (!(error instanceof BlobFault && error.expired)) throw error;
      if (this.#granted === granted) this.#granted = null;
      const { url } = await this.#grant();
      await retried(() => work(url), signal, onWait);
    }
  }

  #asking: Promise<Granted> | null = null;

  /** All senders wait for the same grant. */
  #grant(): Promise<Granted> {
    if (this.#granted) {
      this.#note(this.#granted);
      return Promise.resolve(this.#granted);
    }
    this.#asking ??= askGrant(this.plan)
      .then((granted) => {
        this.#granted = granted;
        this.#note(granted);
        return granted;
      })
      .finally(() => (this.#asking = null));
    return this.#asking;
  }

  #note(granted: Granted): void {
    if (this.progress.value.grantId !== granted.grantId) this.#set({ grantId: granted.grantId, grantedAt: grantedAt(granted) });
  }

  #count(): void {
    let sent = this.#staged;
    for (const bytes of this.#underWay.values()) sent += bytes;
    this.#set({ sent, speed: this.#speed.note(sent - this.progress.value.resumed, performance.now()) });
  }

  #explain(error: unknown): UploadFault {
    if (error instanceof Unreadable) return uploadFault('unreadable', error.message);
    if (error instanceof BlobFault) {
      if (error.code === 'OtherTab') return uploadFault('other-tab');
      if (error.exists) return uploadFault('exists', this.plan.path);
      if (error.status === 0) return uploadFault('offline');
      return uploadFault('storage', `${error.status} ${error.code}`);
    }
    const problem: ApiError = asApiError(error);
    return problem.isOffline ? uploadFault('offline') : { title: problem.title, detail: problem.detail, again: true };
  }

  #set(change: Partial<Progress>): void {
    this.progress.value = { ...this.progress.value, ...change };
  }
}
