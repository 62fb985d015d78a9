/** How far a file is, in one line. */

import type { RunSummary } from '../../api/extra';
import { Icon } from '../../ui';
import { hasEnded, stage, steps } from './stage';

export function Steps({ run }: { readonly run: RunSummary }) {
  const { detail } = stage(run);
  const showsSteps = run.state === 'completed' || !hasEnded(run);
  return (
    <section class="panel" aria-label="Progress">
      {showsSteps && (
        <ol class="steps">
          {steps(run).map(({ name, place }, at) => (
            <li key={name} class={`is-${place}`} aria-current={place === 'current' ? 'step' : undefined}>
              <span class="step-mark">{place === 'done' ? <Icon name="check" label="done" /> : at + 1}</span>
              {name}
            </li>
          ))}
        </ol>
      )}
      <p role="status">{detail}</p>
    </section>
  );
}
