/** What would happen to a file at a path: asked before a byte is sent. */

import { api, ok } from '../../api/client';
import { askGrant, type Granted, type Wanted } from './grant';
import { suggest } from './path';

export type Target =
  | { readonly kind: 'taken'; readonly granted: Granted; readonly pipeline: string }
  /** No pipeline takes the path; `suggestions` are some that are taken. */
  | { readonly kind: 'untaken'; readonly granted: Granted; readonly paths: readonly string[]; readonly suggestions: readonly string[] }
  /** Files are never overwritten. */
  | { readonly kind: 'occupied'; readonly since: string };

export async function target(wanted: Wanted): Promise<Target> {
  const { items } = await ok(api.GET('/submissions', { params: { query: { path: wanted.path } } }));
  const earlier = items.find((run) => run.path === wanted.path && (wanted.partner === null || run.partner === wanted.partner));
  if (earlier) return { kind: 'occupied', since: earlier.createdAt };
  const granted = await askGrant(wanted);
  if (typeof granted.pipeline === 'string') return { kind: 'taken', granted, pipeline: granted.pipeline };
  const paths = granted.takenPaths ?? [];
  return { kind: 'untaken', granted, paths, suggestions: suggest(paths, wanted.path.split('/').at(-1) ?? '') };
}
