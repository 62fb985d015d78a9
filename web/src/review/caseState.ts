import type { CaseView } from '../api/extra';

export const isWaiting = (one: CaseView): boolean => one.status === 'open' || one.status === 'confirming';

export const isOverdue = (one: CaseView, now: number): boolean => isWaiting(one) && Date.parse(one.dueAt) < now;

/** Somebody else works on it. */
export const isTaken = (one: CaseView, me: string | undefined): boolean => one.claimedBy != null && one.claimedBy.id !== me;

/** The first of two decisions is this person's: another one must confirm it. */
export const isMyFirst = (one: CaseView, me: string | undefined): boolean =>
  one.status === 'confirming' && one.decisions.at(-1)?.by.id === me;

/** What a person calls the cause: the name of the rule, or the code and its column. */
export const causeName = (one: CaseView): string => (one.column ? `${one.cause} · ${one.column}` : one.cause);
