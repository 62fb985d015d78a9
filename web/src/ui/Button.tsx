import type { ComponentChildren, JSX } from 'preact';

import { Icon, type IconName } from './Icon';

interface Props extends Omit<JSX.IntrinsicElements['button'], 'icon' | 'size' | 'children'> {
  readonly kind?: 'primary' | 'secondary' | 'quiet' | 'danger';
  readonly size?: 'small' | 'normal';
  readonly icon?: IconName;
  /** Shown as a hint of the key that does the same. */
  readonly shortcut?: string;
  /** Its work is going on: it cannot be pressed twice. */
  readonly busy?: boolean;
  readonly children?: ComponentChildren;
}

/** A button. Without children it needs an aria-label. */
export function Button({ kind = 'secondary', size = 'normal', icon, shortcut, busy = false, children, disabled, class: extra, ...rest }: Props) {
  const names = ['button', `button-${kind}`, size === 'small' && 'button-small', !children && 'button-icon', extra];
  return (
    <button
      type="button"
      {...rest}
      class={names.filter(Boolean).join(' ')}
      disabled={busy || disabled}
      aria-busy={busy}
      {...(shortcut && { 'aria-keyshortcuts': shortcut })}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children && <span class="button-text">{children}</span>}
      {shortcut && <kbd aria-hidden="true">{shortcut}</kbd>}
    </button>
  );
}
