/** How far a file is, in one line. */

import type { RunSummary } from '../../api/extra';
import { Icon } from '../../ui';
import { hasEnded, stage, STEPS, stepsDone } from './stage';

export function Steps({ run }: { readonly run: RunSummary }) {
  const { detail } = stage(run);
  const done = stepsDone(run);
  const showsSteps = run.state === 'completed' || !hasEnded(run);
  return (
    <section class="panel" aria-label="Progress">
      {showsSteps && (
        <ol class="steps">
          {STEPS.map((step, at) => (
            <li key={step} class={at < done ? 'is-done' : at === done ? 'is-current' : ''} aria-current={at === done ? 'step' : undefined}>
              <span class="step-mark">{at < done ? <Icon name="check" label="done" /> : at + 1}</span>
              {step}
            </li>
          ))}
        </ol>
      )}
      <p role="status">{detail}</p>
    </section>
  );
}
