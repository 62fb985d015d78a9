/** Asks the API where to upload to. */

import { api, keyed, ok } from '../../api/client';
import type { components } from '../../api/schema';
import type { Plan } from './plan';

export type Granted = components['schemas']['Granted'];

/** Long enough for a night over a slow line; a longer upload asks again. */
const VALID_SECONDS = 12 * 60 * 60;

/** When a grant was given, by the service's own clock. */
export function grantedAt(granted: Granted): number {
  return Date.parse(granted.expiresAt) - VALID_SECONDS * 1000;
}

export type Wanted = Pick<Plan, 'partner' | 'path' | 'size' | 'fixes'>;

export function askGrant({ partner, path, size, fixes }: Wanted): Promise<Granted> {
  const body = {
    grant: { kind: 'file' as const, path },
    declared: { size },
    validSeconds: VALID_SECONDS,
    ...(partner === null ? {} : { partner }),
    ...(fixes === null ? {} : { fixes }),
  };
  return ok(api.POST('/submissions', { body, ...keyed(crypto.randomUUID()) }));
}
