import { signal } from '@preact/signals';

import type { ActorView, CaseView } from '../api/extra';

export interface Person {
  readonly id: string;
  readonly name: string;
}

/** People who were seen at work on cases: the API has no directory. */
export const people = signal<readonly Person[]>([]);

export function meet(cases: readonly CaseView[]): void {
  const known = new Map(people.value.map((person) => [person.id, person]));
  const before = known.size;
  for (const one of cases) {
    const actors: (ActorView | null | undefined)[] = [one.claimedBy];
    for (const { by } of [...one.decisions, ...one.comments]) actors.push(by);
    for (const actor of actors) {
      if (actor?.type === 'person' && actor.id) known.set(actor.id, { id: actor.id, name: actor.name });
    }
  }
  if (known.size > before) people.value = [...known.values()].sort((a, b) => a.name.localeCompare(b.name));
}
