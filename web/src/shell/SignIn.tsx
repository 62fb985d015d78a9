import { useEffect, useState } from 'preact/hooks';

import { signIn } from '../auth/session';
import { Button, Icon } from '../ui';
import { Logo } from './Logo';
import { signInFailed } from './signInFailure';

/** What a person sees who is not signed in. The address is kept for afterwards. */
export function SignIn() {
  const [busy, setBusy] = useState(false);
  const [unreachable, setUnreachable] = useState(false);
  useEffect(() => void (document.title = 'Sign in · Sluice'), []);
  const start = async () => {
    setBusy(true);
    setUnreachable(false);
    try {
      await signIn();
    } catch {
      setBusy(false);
      setUnreachable(true);
    }
  };
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <Logo />
        <h1>Sign in to Sluice</h1>
        <p class="muted">Files in, checked against their contract, decided by people, published once.</p>
        <Button kind="primary" busy={busy} onClick={() => void start()} autofocus>
          Sign in
        </Button>
        {unreachable && (
          <p class="notice notice-bad" role="alert">
            <Icon name="alert" /> The sign-in service cannot be reached. Nothing was lost. Check the connection and try again.
          </p>
        )}
        {signInFailed.value !== null && !unreachable && (
          <p class="notice notice-bad" role="alert">
            <Icon name="alert" /> The sign-in did not work: {signInFailed.value}. Nothing was changed. Try again.
          </p>
        )}
      </div>
    </main>
  );
}
