import createClient, { type Middleware } from 'openapi-fetch';

import { getToken } from '../auth/session';
import { config } from '../config';
import { saveBlob } from '../ui/save';
import { online } from './online';
import { ApiError, errorOf } from './problem';
import type { paths } from './schema';

export { ApiError, asApiError } from './problem';

/** Statuses that pass by themselves. */
const PASSING = new Set([429, 502, 503, 504]);
const ATTEMPTS = 4;

/** Also a conflict that says when to come back: the first of two sendings of the same change is still worked on. */
const passes = (response: Response): boolean => PASSING.has(response.status) || (response.status === 409 && response.headers.has('retry-after'));

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How long to wait before the next attempt: what the server asks for, else a growing time with some chance in it. */
export function backoff(attempt: number, response?: Response): number {
  const asked = Number(response?.headers.get('retry-after'));
  if (asked > 0) return Math.min(asked, 30) * 1000;
  return Math.min(250 * 2 ** attempt, 8000) * (0.5 + Math.random() / 2);
}

/** GETs are tried again when that may help; a change is sent once, because nobody knows whether it arrived. */
export async function send(request: Request): Promise<Response> {
  const attempts = request.method === 'GET' || request.headers.has('idempotency-key') ? ATTEMPTS : 1;
  for (let attempt = 1; ; attempt++) {
    const last = attempt === attempts;
    try {
      const response = await once(request.clone());
      online.value = true;
      if (last || !passes(response)) return response;
      await pause(backoff(attempt, response));
    } catch (error) {
      // fetch tells a lost connection by a TypeError; anything else is not about the network.
      if (!(error instanceof TypeError)) throw error;
      if (last) {
        online.value = false;
        throw new ApiError({ status: 0 });
      }
      await pause(backoff(attempt));
    }
  }
}

async function once(request: Request): Promise<Response> {
  const again = request.clone();
  request.headers.set('Authorization', `Bearer ${await getToken()}`);
  const response = await fetch(request);
  if (response.status !== 401) return response;
  again.headers.set('Authorization', `Bearer ${await getToken(true)}`);
  return fetch(again);
}

const failures: Middleware = {
  async onResponse({ response }) {
    if (!response.ok && response.status !== 304) throw await errorOf(response);
  },
};

/** Absolute address of a path of the API. */
export const apiUrl = (path: string): string => new URL(config().api.replace(/\/$/, '') + path, location.origin).href;

/** The API. Every answer that is no success is thrown as an [`ApiError`]. */
export const api = createClient<paths>({ baseUrl: apiUrl(''), fetch: send });
api.use(failures);

/** The data of an answer: `await ok(api.GET('/runs'))`. */
export async function ok<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

/** The same for what the description leaves open: values of rows, reports. Their types stand in extra.ts and beside their pages. */
export const okAs = <T>(call: Promise<{ data?: unknown }>): Promise<T> => ok(call as Promise<{ data?: T }>);

/** A change that may be sent again after a lost answer: the same key is the same change. */
export const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } });

/** Saves an answer as a file. The token goes in a header, never into an address. */
export async function download(path: string, name: string): Promise<void> {
  const response = await send(new Request(apiUrl(path)));
  if (!response.ok) throw await errorOf(response);
  saveBlob(await response.blob(), name);
}
