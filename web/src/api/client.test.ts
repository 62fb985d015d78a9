import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const getToken = vi.hoisted(() => vi.fn<(renew?: boolean) => Promise<string>>());
vi.mock('../auth/session', () => ({ getToken }));

const { setConfig } = await import('../config');
setConfig({ api: 'http://api.test/api', issuer: 'http://issuer.test', clientId: 'c', scope: 's' });
const { api, ApiError, keyed, ok } = await import('./client');
const { online } = await import('./online');

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });

let answers: (Response | Error)[];
let sent: Request[];

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  sent = [];
  getToken.mockReset().mockImplementation((renew) => Promise.resolve(renew ? 'new' : 'old'));
  vi.stubGlobal('fetch', (call: Request) => {
    sent.push(call);
    const answer = answers.shift();
    if (!answer) throw new Error('unexpected request');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Lets pauses pass while a call runs. */
async function settled<T>(call: Promise<T>): Promise<T> {
  call.catch(() => undefined);
  await vi.runAllTimersAsync();
  return call;
}

describe('the client', () => {
  it('reads again after a lost connection and a busy server', async () => {
    answers = [new TypeError('network'), json(503, {}), json(200, [])];
    await expect(settled(ok(api.GET('/pipelines')))).resolves.toEqual([]);
    expect(sent).toHaveLength(3);
    expect(online.value).toBe(true);
  });

  it('sends a change once, and says that the connection is gone', async () => {
    answers = [new TypeError('network')];
    const error = await settled(ok(api.POST('/reviews/{case}/claim', { params: { path: { case: 'x' } } }))).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 0, isOffline: true });
    expect(sent).toHaveLength(1);
    expect(online.value).toBe(false);
  });

  it('repeats a change that has an idempotency key', async () => {
    answers = [new TypeError('network'), json(200, { done: true })];
    await expect(settled(ok(api.POST('/reviews/{case}/assign', { params: { path: { case: 'x' } }, body: { id: '1', name: 'R' }, ...keyed('k') })))).resolves.toEqual({ done: true });
    expect(sent).toHaveLength(2);
    expect(await sent[1]!.json()).toEqual({ id: '1', name: 'R' });
  });

  it('renews a token that is refused, once', async () => {
    answers = [json(401, {}), json(200, [])];
    await settled(ok(api.GET('/pipelines')));
    expect(sent.map((call) => call.headers.get('authorization'))).toEqual(['Bearer old', 'Bearer new']);
  });

  it('throws the problem that the server describes', async () => {
    const problem = { type: 'about:blank', title: 'Conflict', status: 409, detail: 'taken', code: 'W0423' };
    answers = [json(409, problem)];
    await expect(settled(ok(api.GET('/pipelines')))).rejects.toMatchObject({ code: 'W0423', detail: 'taken', isConflict: true });
  });
});
