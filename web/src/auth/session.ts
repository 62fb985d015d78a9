import { signal } from '@preact/signals';
import * as oauth from 'oauth4webapi';

import { config } from '../config';

export type Role = 'Partner' | 'Reviewer' | 'Operator' | 'Engineer' | 'Auditor';

export interface Session {
  readonly name: string;
  /** Object id: what the API knows this person by. */
  readonly oid: string;
  readonly roles: readonly Role[];
  /** The partner that this person belongs to, if it is a partner's person and the token says so. */
  readonly partner: string | null;
}

/** Who is signed in, or null. */
export const session = signal<Session | null>(null);

interface Tokens {
  readonly access: string;
  readonly refresh?: string;
  readonly expiresAt: number;
  readonly who: Session;
}

interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
}

export const REDIRECT_PATH = '/signed-in';

// A tab keeps its own tokens: they survive a reload, and are gone with the tab.
const TOKENS = 'sluice.tokens';
const PENDING = 'sluice.signin';
/** A token is renewed this long before it expires, so that none expires on its way. */
const EARLY = 60_000;

let tokens: Tokens | undefined;
let renewal: Promise<Tokens> | undefined;

export function hasRole(...roles: Role[]): boolean {
  return session.value?.roles.some((role) => roles.includes(role)) ?? false;
}

const client = (): oauth.Client => ({ client_id: config().clientId });
const redirectUri = (): string => location.origin + REDIRECT_PATH;

function isLoopback(address: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(address).hostname);
}

/** Plain HTTP only to this machine, where `sluice up` plays the issuer. */
const transport = () => ({ [oauth.allowInsecureRequests]: isLoopback(config().issuer) });

let discovered: Promise<oauth.AuthorizationServer> | undefined;

function server(): Promise<oauth.AuthorizationServer> {
  const discover = async () => {
    const issuer = new URL(config().issuer);
    return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, transport()));
  };
  discovered ??= discover().catch((error: unknown) => {
    discovered = undefined;
    throw error;
  });
  return discovered;
}

/** Leaves the page for the issuer; it comes back to `returnTo`. */
export async function signIn(returnTo: string = location.pathname + location.search): Promise<void> {
  const issuer = await server();
  const pending: Pending = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
    returnTo,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(issuer.authorization_endpoint!);
  url.search = new URLSearchParams({
    client_id: config().clientId,
    redirect_uri: redirectUri(),
    response_type: 'code',
    scope: config().scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  }).toString();
  location.assign(url);
}

export async function signOut(): Promise<void> {
  forget();
  const issuer = await server();
  if (!issuer.end_session_endpoint) return;
  const url = new URL(issuer.end_session_endpoint);
  url.searchParams.set('client_id', config().clientId);
  url.searchParams.set('post_logout_redirect_uri', location.origin + '/');
  location.assign(url);
}

/** Takes up the session of this tab, or finishes a sign-in; tells where to go then. */
export async function resume(): Promise<string | null> {
  if (location.pathname === REDIRECT_PATH) return finish();
  const kept = sessionStorage.getItem(TOKENS);
  if (kept) adopt(JSON.parse(kept) as Tokens);
  return null;
}

async function finish(): Promise<string> {
  const kept = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  if (!kept) return '/';
  const pending = JSON.parse(kept) as Pending;
  const issuer = await server();
  const answer = oauth.validateAuthResponse(issuer, client(), new URL(location.href), pending.state);
  const response = await oauth.authorizationCodeGrantRequest(
    issuer, client(), oauth.None(), answer, redirectUri(), pending.verifier, transport(),
  );
  const result = await oauth.processAuthorizationCodeResponse(issuer, client(), response, {
    expectedNonce: pending.nonce,
    requireIdToken: true,
  });
  adopt(fromResponse(result));
  return pending.returnTo;
}

/** An access token that is valid now. Rejects with [`SignedOut`] when the person must sign in again. */
export async function getToken(renew = false): Promise<string> {
  if (!tokens) throw new SignedOut();
  if (!renew && Date.now() < tokens.expiresAt - EARLY) return tokens.access;
  renewal ??= refresh(tokens).finally(() => (renewal = undefined));
  return (await renewal).access;
}

export class SignedOut extends Error {
  constructor() {
    super('Your sign-in has ended. Sign in again; what you have typed is kept.');
  }
}

async function refresh(old: Tokens): Promise<Tokens> {
  if (!old.refresh) return lost();
  const issuer = await server();
  const response = await oauth.refreshTokenGrantRequest(issuer, client(), oauth.None(), old.refresh, transport());
  try {
    const result = await oauth.processRefreshTokenResponse(issuer, client(), response);
    return adopt(fromResponse(result, old));
  } catch (error) {
    // Only a refusal ends the session: a connection that fails says nothing about it.
    if (error instanceof oauth.ResponseBodyError) return lost();
    throw error;
  }
}

function lost(): never {
  forget();
  throw new SignedOut();
}

function fromResponse(result: oauth.TokenEndpointResponse, old?: Tokens): Tokens {
  const claims = oauth.getValidatedIdTokenClaims(result);
  const refresh = result.refresh_token ?? old?.refresh;
  const who = claims ? identify(claims, result.access_token) : old?.who;
  if (!who) throw new Error('the issuer sent no ID token');
  return {
    access: result.access_token,
    expiresAt: Date.now() + (result.expires_in ?? 300) * 1000,
    who,
    ...(refresh === undefined ? {} : { refresh }),
  };
}

/** Entra ID puts an API's roles into the access token, and only there when site and API are two registrations. */
function identify(identity: oauth.IDToken, access: string): Session {
  const claims: Record<string, unknown> = { ...identity, ...payload(access) };
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : undefined);
  return {
    name: text('name') ?? text('preferred_username') ?? identity.sub,
    oid: text('oid') ?? identity.sub,
    roles: Array.isArray(claims['roles']) ? (claims['roles'] as Role[]) : [],
    partner: text('extension_partner') ?? null,
  };
}

/** What a token says, for showing: the API checks it, this page cannot. */
function payload(token: string): Record<string, unknown> {
  try {
    const part = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function adopt(next: Tokens): Tokens {
  tokens = next;
  session.value = next.who;
  sessionStorage.setItem(TOKENS, JSON.stringify(next));
  return next;
}

function forget(): void {
  tokens = undefined;
  session.value = null;
  sessionStorage.removeItem(TOKENS);
}
