/** Where files are dropped, or chosen with the keyboard. */

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { Button, Icon } from '../../ui';
import { type Chosen, fromDrop, fromInput, hasPicker, pick } from './choose';

interface Props {
  readonly title: string;
  readonly hint: string;
  readonly multiple?: boolean;
  readonly onFiles: (chosen: Chosen[]) => void;
}

export function FileDrop({ title, hint, multiple = false, onFiles }: Props) {
  const over = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  // A file that misses the box must not make the browser leave the page.
  useEffect(() => {
    const stay = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    addEventListener('dragover', stay);
    addEventListener('drop', stay);
    return () => {
      removeEventListener('dragover', stay);
      removeEventListener('drop', stay);
    };
  }, []);
  const give = (chosen: Chosen[]): void => {
    if (chosen.length > 0) onFiles(multiple ? chosen : chosen.slice(0, 1));
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    over.value = false;
    if (event.dataTransfer) void fromDrop(event.dataTransfer).then(give);
  };
  const choose = (): void => {
    if (hasPicker) void pick(multiple).then(give);
    else input.current?.click();
  };
  return (
    <div
      class={`file-drop${over.value ? ' file-drop-over' : ''}`}
      role="group"
      aria-label={title}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => (over.value = false)}
      onDrop={onDrop}
    >
      <Icon name="upload" size={24} />
      <div class="file-drop-text">
        <strong>{title}</strong>
        <p class="muted">{hint}</p>
      </div>
      <Button onClick={choose}>{multiple ? 'Choose files…' : 'Choose a file…'}</Button>
      <input ref={input} type="file" multiple={multiple} hidden onChange={(event) => give(fromInput(event.currentTarget))} />
    </div>
  );
}
