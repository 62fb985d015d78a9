import type { ComponentChildren } from 'preact';

export type Tone = 'neutral' | 'info' | 'good' | 'warn' | 'bad';

interface Props {
  readonly tone?: Tone;
  readonly title?: string;
  readonly children: ComponentChildren;
}

export function Badge({ tone = 'neutral', title, children }: Props) {
  return (
    <span class={`badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}

const STATES: Record<string, Tone> = {
  reviewing: 'warn',
  publishing: 'info',
  completed: 'good',
  rejected: 'bad',
  failed: 'bad',
  cancelled: 'neutral',
};

/** The state of a run; all that are not named here are work in progress. */
export function StateBadge({ state }: { readonly state: string }) {
  return <Badge tone={STATES[state] ?? 'info'}>{state}</Badge>;
}
