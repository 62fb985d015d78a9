import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';

import { online } from '../api/online';
import { session, signOut } from '../auth/session';
import { Button, Icon } from '../ui';
import { ShortcutHelp, showShortcuts } from '../ui/shortcuts';
import { Toasts } from '../ui/Toast';
import { Logo } from './Logo';
import { places } from './navigation';
import { ThemeSwitch } from './ThemeSwitch';

/** Navigation beside the page; on a narrow window above it, behind a button. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const [path] = useLocation();
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  // A new page is read from its start, by eye and by screen reader.
  const family = path.split('/')[1];
  useEffect(() => {
    setOpen(false);
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [family]);

  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class={open ? 'side is-open' : 'side'}>
        <div class="side-head">
          <Link href="/" class="brand">
            <Logo /> Sluice
          </Link>
          <Button
            kind="quiet"
            icon={open ? 'close' : 'menu'}
            class="side-toggle"
            aria-label={open ? 'Close navigation' : 'Open navigation'}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          />
        </div>
        <nav class="side-nav" aria-label="Main">
          {places().map((place) => (
            <Link
              key={place.href}
              href={place.href}
              class="side-link"
              aria-current={path === place.href || path.startsWith(`${place.href}/`) ? 'page' : undefined}
            >
              <Icon name={place.icon} /> {place.label}
            </Link>
          ))}
        </nav>
        <div class="side-foot">
          <p class="who">
            <span class="who-name">{session.value?.name}</span>
            <span class="muted">{session.value?.roles.join(', ')}</span>
          </p>
          <div class="side-tools">
            <ThemeSwitch />
            <Button kind="quiet" size="small" icon="help" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={showShortcuts} />
            <Button kind="quiet" size="small" icon="signOut" aria-label="Sign out" title="Sign out" onClick={() => void signOut()} />
          </div>
        </div>
      </header>
      <main id="main" class="main" ref={main} tabIndex={-1}>
        {!online.value && (
          <p class="notice notice-warn offline" role="status">
            <Icon name="alert" /> No connection to Sluice. What you see may be old; what you type is kept. It goes on by itself once the
            connection is back.
          </p>
        )}
        {children}
      </main>
      <Toasts />
      <ShortcutHelp />
    </div>
  );
}
