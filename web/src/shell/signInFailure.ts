import { signal } from '@preact/signals';

export const SIGN_IN_FAILED = 'the issuer did not say why';

/** Why the last sign-in did not work, or null. */
export const signInFailed = signal<string | null>(null);
