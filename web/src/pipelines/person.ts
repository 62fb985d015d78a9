import { session } from '../auth/session';

/** Who it was: by name where the token gave one, else by the beginning of the object id. */
export function authorName(id: string, name?: string | null): string {
  return id === session.value?.oid ? 'you' : (name ?? id.slice(0, 8));
}
