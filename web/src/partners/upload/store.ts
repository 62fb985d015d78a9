/** Plans of unfinished uploads and the digests of the blocks that are staged, in IndexedDB: they outlive the tab. */

import type { Plan } from './plan';

const DATABASE = 'sluice-uploads';
const PLANS = 'plans';
/** Key: plan and index of the block; value: SHA-256 of the block in hex. One record a block, so that noting one is cheap. */
const BLOCKS = 'blocks';

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(PLANS, { keyPath: 'id' });
      request.result.createObjectStore(BLOCKS);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database does not open"));
  }).catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database does not answer"));
  });
}

function blocksOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Number.MAX_SAFE_INTEGER]);
}

export async function plansOf(owner: string): Promise<Plan[]> {
  const database = await open();
  const plans = await answer<Plan[]>(database.transaction(PLANS).objectStore(PLANS).getAll());
  return plans.filter((plan) => plan.owner === owner);
}

export async function savePlan(plan: Plan): Promise<void> {
  const database = await open();
  await answer(database.transaction(PLANS, 'readwrite').objectStore(PLANS).put(plan));
}

export async function noteStaged(id: string, index: number, digest: string): Promise<void> {
  const database = await open();
  await answer(database.transaction(BLOCKS, 'readwrite').objectStore(BLOCKS).put(digest, [id, index]));
}

/** Digests of the staged blocks by their index. */
export async function stagedOf(id: string): Promise<Map<number, string>> {
  const database = await open();
  const store = database.transaction(BLOCKS).objectStore(BLOCKS);
  const [keys, digests] = await Promise.all([
    answer<IDBValidKey[]>(store.getAllKeys(blocksOf(id))),
    answer<string[]>(store.getAll(blocksOf(id))),
  ]);
  const staged = new Map<number, string>();
  keys.forEach((key, at) => {
    const digest = digests[at];
    if (Array.isArray(key) && typeof key[1] === 'number' && digest !== undefined) staged.set(key[1], digest);
  });
  return staged;
}

export async function forgetStaged(id: string): Promise<void> {
  const database = await open();
  await answer(database.transaction(BLOCKS, 'readwrite').objectStore(BLOCKS).delete(blocksOf(id)));
}

export async function forgetPlan(id: string): Promise<void> {
  await forgetStaged(id);
  const database = await open();
  await answer(database.transaction(PLANS, 'readwrite').objectStore(PLANS).delete(id));
}
