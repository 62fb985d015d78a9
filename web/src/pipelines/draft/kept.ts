import type { Texts } from '../api';

/** What was typed and not stored yet: it outlives a reload and a closed tab. */
export interface Kept extends Texts {
  /** Hash of the draft or version that the typing began with. */
  readonly base: string;
}

const key = (name: string) => `sluice.draft.${name}`;

export function recall(name: string): Kept | null {
  const text = localStorage.getItem(key(name));
  if (text === null) return null;
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return null;
  }
}

export function keep(name: string, kept: Kept): void {
  try {
    localStorage.setItem(key(name), JSON.stringify(kept));
  } catch {
    // A full store loses only the copy for a reload; the page still has the text.
  }
}

export const forget = (name: string): void => localStorage.removeItem(key(name));
