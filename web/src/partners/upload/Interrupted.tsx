/** An upload that an earlier tab did not finish. */

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { Button, Meter, Time } from '../../ui';
import { fromInput, hasPicker, pick } from './choose';
import type { Plan } from './plan';
import { stagedOf } from './store';
import { discard, goOn, reopened } from './uploads';

export function Interrupted({ plan }: { plan: Plan }) {
  const staged = useSignal(0);
  const isOther = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    void stagedOf(plan.id).then((blocks) => (staged.value = Math.min(blocks.size * plan.blockBytes, plan.size)));
  }, [plan.id]);

  const take = async (file: File | undefined): Promise<void> => {
    if (file) isOther.value = !(await goOn(plan, file));
  };
  const resume = async (): Promise<void> => {
    const file = await reopened(plan);
    if (file) await take(file);
    else if (hasPicker) await take((await pick(false))[0]?.file);
    else input.current?.click();
  };
  const percent = Math.floor((staged.value / plan.size) * 100);
  return (
    <li class="upload-card" aria-label={plan.name}>
      <div class="upload-title">
        <strong>{plan.name}</strong>
        <span class="muted">to {plan.path}</span>
      </div>
      <Meter value={staged.value} max={plan.size} label={`${plan.name}: ${percent} % sent`} />
      <p class="upload-facts">
        <span>
          Interrupted at {percent} %, begun <Time at={plan.startedAt} />
        </span>
      </p>
      {isOther.value && (
        <p role="alert">
          That is another file, or it has changed since: name, size and time must be those of <strong>{plan.name}</strong>. Choose that file, or
          discard this upload and begin again.
        </p>
      )}
      <div class="actions">
        <Button kind="primary" onClick={() => void resume()}>
          {plan.handle ? 'Continue' : 'Choose the file again to continue…'}
        </Button>
        <Button kind="quiet" onClick={() => void discard(plan)}>
          Discard
        </Button>
        <input ref={input} type="file" hidden onChange={(event) => void take(fromInput(event.currentTarget)[0]?.file)} />
      </div>
    </li>
  );
}
