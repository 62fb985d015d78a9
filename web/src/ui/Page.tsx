import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { Link } from 'wouter-preact';

import { Icon } from './Icon';

interface Props {
  readonly title: string;
  /** In place of the title text, where it needs more than words. */
  readonly heading?: ComponentChildren;
  readonly back?: { readonly href: string; readonly label: string };
  readonly actions?: ComponentChildren;
  /** Fills the window and scrolls inside: for pages of tables. */
  readonly fill?: boolean;
  readonly children: ComponentChildren;
}

/** The frame of every page: its title in the window, its heading, its actions. */
export function Page({ title, heading, back, actions, fill = false, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  return (
    <div class={fill ? 'page page-fill' : 'page'}>
      <header class="page-head">
        <div class="page-title">
          {back && (
            <Link href={back.href} class="back" aria-label={`Back to ${back.label}`} title={`Back to ${back.label}`}>
              <Icon name="arrowLeft" />
            </Link>
          )}
          <h1>{heading ?? title}</h1>
        </div>
        {actions && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
