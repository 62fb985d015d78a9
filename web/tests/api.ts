/** The API as programs use it, to prepare what a test looks at. */

import { connection, type Name, principal } from './connection';

export async function token(name: Name): Promise<string> {
  const { issuer, audience } = connection();
  const { clientId, clientSecret } = principal(name);
  const response = await fetch(new URL('/oauth2/v2.0/token', issuer), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${audience}/.default`,
    }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}

export async function call<T>(name: Name, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(connection().api + path, {
    method,
    headers: { Authorization: `Bearer ${await token(name)}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} as ${name}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

export interface Run {
  readonly runId: string;
  readonly submissionId: string;
  readonly state: string;
  readonly path: string;
  readonly openCases: number;
  readonly cases: number;
  readonly receipt: boolean;
  readonly deadLetter?: { readonly code: string } | null;
  readonly counts: { readonly rows: number; readonly published: number; readonly corrected: number; readonly rejected: number; readonly returned: number } | null;
}

export interface Case {
  readonly caseId: string;
  readonly runId: string;
  readonly cause: string;
  readonly rows: number;
  readonly status: string;
  readonly digest: string;
  readonly claimedBy: { readonly id: string; readonly name: string } | null;
  readonly decisions: readonly { readonly by: { readonly name: string } }[];
}

export interface Page<T> {
  readonly items: readonly T[];
}

/** Waits until `look` finds something. */
export async function eventually<T>(what: string, look: () => Promise<T | null | undefined | false>, patienceMs = 30_000): Promise<T> {
  for (const end = Date.now() + patienceMs; Date.now() < end; ) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what}: not after ${patienceMs / 1000} s`);
}

/** Stores a pipeline, unless this stack has it. */
export async function ensurePipeline(name: string, texts: { readonly pipeline: string; readonly contract: string }): Promise<void> {
  const known = await call<readonly { name: string }[]>('emil', 'GET', '/pipelines');
  if (!known.some((one) => one.name === name)) await call('emil', 'PUT', `/pipelines/${name}`, texts);
}

/** Sends a file as a partner's program does; answers with its run once it has come to `states`. */
export async function submit(name: 'skyline' | 'northwind', path: string, text: string, states: readonly string[], patienceMs?: number): Promise<Run> {
  const { url, grantId } = await call<{ url: string; grantId: string }>(name, 'POST', '/submissions', { grant: { kind: 'file', path } });
  const sent = await fetch(url, { method: 'PUT', body: text, headers: { 'x-ms-blob-type': 'BlockBlob' } });
  if (!sent.ok) throw new Error(`PUT ${path}: ${sent.status}`);
  return eventually(`${path} is ${states.join(' or ')}`, async () => {
    const { items } = await call<Page<Run>>(name, 'GET', `/submissions?path=${encodeURIComponent(path)}`);
    return items.find((run) => run.path === path && states.includes(run.state));
  }, patienceMs).catch((error: unknown) => {
    throw new Error(`grant ${grantId}: ${String(error)}`);
  });
}

/** The cases of a run in the order of the queue, once all of them are open: each is opened by a message of its own. */
export function casesOf(run: Run, count: number): Promise<readonly Case[]> {
  return eventually(`the run has ${count} cases`, async () => {
    const { items } = await call<Page<Case>>('rita', 'GET', `/reviews?run=${run.runId}&limit=200`);
    return items.length === count && items;
  });
}
