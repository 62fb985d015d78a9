import { signal } from '@preact/signals';

import { Button } from './Button';
import { Icon } from './Icon';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad' | 'info';
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

const toasts = signal<readonly Toast[]>([]);
let next = 1;

/** Long enough to be read; one with an action stays longer, an error until it is closed (WCAG 2.2.1). */
const SHOWN = { good: 5000, info: 5000, bad: Infinity };

/** Tells what happened, without taking the focus. */
export function toast(text: string, tone: Toast['tone'] = 'good', action?: Toast['action']): void {
  const id = next++;
  toasts.value = [...toasts.value.slice(-3), { id, tone, text, action }];
  const shown = action ? SHOWN[tone] * 3 : SHOWN[tone];
  if (Number.isFinite(shown)) setTimeout(() => dismiss(id), shown);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast toast-${one.tone}`}>
          <Icon name={one.tone === 'bad' ? 'alert' : one.tone === 'good' ? 'check' : 'info'} />
          <span>{one.text}</span>
          {one.action && (
            <Button
              kind="quiet"
              size="small"
              onClick={() => {
                dismiss(one.id);
                one.action?.run();
              }}
            >
              {one.action.label}
            </Button>
          )}
          <Button kind="quiet" size="small" icon="close" aria-label="Dismiss" onClick={() => dismiss(one.id)} />
        </div>
      ))}
    </div>
  );
}
