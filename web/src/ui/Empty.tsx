import type { ComponentChildren } from 'preact';

import { Icon, type IconName } from './Icon';

interface Props {
  readonly icon?: IconName;
  readonly title: string;
  /** Why there is nothing, and what to do. */
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}

export function Empty({ icon = 'check', title, children, action }: Props) {
  return (
    <div class="empty">
      <Icon name={icon} size={24} />
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
      {action}
    </div>
  );
}
