import { signal } from '@preact/signals';

import type { CaseView } from '../../api/extra';

/** The queue as it was last shown: a case leads on to the next one without going back to it. */
const order = signal<readonly string[]>([]);
const address = signal('/reviews');

export function rememberQueue(cases: readonly CaseView[], search: string): void {
  order.value = cases.map((one) => one.caseId);
  address.value = `/reviews${search}`;
}

export const queueAddress = (): string => address.value;

export function neighbour(caseId: string, step: 1 | -1): string | undefined {
  const index = order.value.indexOf(caseId);
  return index < 0 ? undefined : order.value[index + step];
}

/** How many come after it. */
export function remaining(caseId: string): number {
  const index = order.value.indexOf(caseId);
  return index < 0 ? 0 : order.value.length - index - 1;
}
