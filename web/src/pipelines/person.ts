import { session } from '../auth/session';

/** The API knows authors of versions by their object id only. */
export function authorName(oid: string): string {
  return oid === session.value?.oid ? 'you' : oid.slice(0, 8);
}
