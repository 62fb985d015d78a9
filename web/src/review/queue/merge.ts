import type { CaseView } from '../../api/extra';

/** More changed runs at once than this: reading the queue again is cheaper. */
export const MOST_RUNS = 8;

const isBefore = (a: CaseView, b: CaseView): boolean => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.caseId < b.caseId);

/**
 * The queue after some runs changed: their cases as they are now, the others untouched, so that the list does not jump.
 * What belongs after the end of an incomplete list comes with its own page.
 */
export function mergeCases(shown: readonly CaseView[], runs: ReadonlySet<string>, fresh: readonly CaseView[], complete: boolean): readonly CaseView[] {
  const byId = new Map(fresh.map((one) => [one.caseId, one]));
  const merged: CaseView[] = [];
  for (const one of shown) {
    const now = byId.get(one.caseId);
    byId.delete(one.caseId);
    if (now) merged.push(now);
    else if (!runs.has(one.runId)) merged.push(one);
  }
  for (const added of byId.values()) {
    const at = merged.findIndex((one) => isBefore(added, one));
    if (at >= 0) merged.splice(at, 0, added);
    else if (complete) merged.push(added);
  }
  return merged;
}
