import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { Dialog } from './Dialog';

export interface Shortcut {
  readonly label: string;
  readonly run: () => void;
  /** Left out of the list and of the keyboard. */
  readonly off?: boolean;
}

/** Key as KeyboardEvent.key names it ('j', 'Enter', '?'), with 'Ctrl+' before it where needed. */
export type Shortcuts = Readonly<Record<string, Shortcut>>;

const layers = signal<readonly { readonly current: Shortcuts }[]>([]);
const helpOpen = signal(false);

/** Keys of a page or a panel, while it is shown. The layer on top wins; `?` lists them all. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const layer = useRef(shortcuts);
  layer.current = shortcuts;
  useEffect(() => {
    layers.value = [...layers.value, layer];
    return () => {
      layers.value = layers.value.filter((one) => one !== layer);
    };
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type=checkbox], [type=radio]), textarea, select'));
}

function nameOf(event: KeyboardEvent): string {
  return (event.ctrlKey || event.metaKey ? 'Ctrl+' : '') + event.key;
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const name = nameOf(event);
  // A dialog has its own keys, and text is typed into fields.
  const inDialog = document.querySelector('dialog[open]') !== null;
  if (inDialog || (isTyping(event.target) && !event.ctrlKey && !event.metaKey)) return;
  // Enter and space press what has the focus.
  if ((name === 'Enter' || name === ' ') && event.target instanceof Element && event.target.closest('button, a, summary, [role=tab]')) return;
  if (name === '?') {
    event.preventDefault();
    helpOpen.value = true;
    return;
  }
  const layer = layers.value.findLast(({ current }) => current[name] && !current[name].off);
  const shortcut = layer?.current[name];
  if (!shortcut) return;
  event.preventDefault();
  shortcut.run();
}

addEventListener('keydown', onKeyDown);

export const showShortcuts = (): void => void (helpOpen.value = true);

/** The list of keys that work now. */
export function ShortcutHelp() {
  if (!helpOpen.value) return null;
  const all = new Map<string, string>();
  for (const { current } of layers.value) {
    for (const [key, { label, off }] of Object.entries(current)) if (!off) all.set(key, label);
  }
  all.set('?', 'This list');
  return (
    <Dialog title="Keyboard" onClose={() => (helpOpen.value = false)}>
      <dl class="keys">
        {[...all].map(([key, label]) => (
          <div key={key}>
            <dt>
              <kbd>{key === ' ' ? 'Space' : key}</kbd>
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
