/** How a file is cut into blocks, and what must be remembered to go on with an interrupted upload. */

const MIB = 1024 * 1024;
/** Usual size of a block: large enough for speed, small enough that a lost connection costs little. */
const USUAL_BLOCK = 8 * MIB;
/** Blocks of one blob at most (REST "Put Block"). */
const MOST_BLOCKS = 50_000;

/** An upload as it is kept in the browser. It holds no URL: that is a secret, and a new one is asked for when it goes on. */
export interface Plan {
  id: string;
  /** Whose landing zone; null if the signed-in person is the partner. */
  partner: string | null;
  /** Object id of who uploads: another person at the same browser does not see it. */
  owner: string;
  /** Path below the partner's container. */
  path: string;
  name: string;
  size: number;
  /** Milliseconds; with name and size it tells whether the file is the same one. */
  lastModified: number;
  blockBytes: number;
  /** The submission whose rejected rows this file repairs. */
  fixes: string | null;
  startedAt: string;
  /** Where the browser can open the file again by itself. */
  handle: FileSystemFileHandle | null;
}

export function blockBytes(size: number): number {
  const needed = Math.ceil(size / MOST_BLOCKS / MIB) * MIB;
  return Math.max(needed, USUAL_BLOCK);
}

export function blockCount(plan: Pick<Plan, 'size' | 'blockBytes'>): number {
  return Math.ceil(plan.size / plan.blockBytes);
}

/** Start and end of a block in the file. */
export function blockRange(plan: Pick<Plan, 'size' | 'blockBytes'>, index: number): [number, number] {
  const start = index * plan.blockBytes;
  return [start, Math.min(start + plan.blockBytes, plan.size)];
}

/** All ids of a blob must have the same length. */
export function blockId(index: number): string {
  return btoa(`sluice-${String(index).padStart(8, '0')}`);
}

export function isSameFile(plan: Plan, file: File): boolean {
  return file.name === plan.name && file.size === plan.size && file.lastModified === plan.lastModified;
}
