import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';

import { Field } from '../../ui';

export interface Words {
  readonly text: string;
  /** Rows are sent back: the partner needs a word about what to repair. */
  readonly areNeeded: boolean;
  /** They are needed, were asked for, and are not there. */
  readonly areMissing: boolean;
  readonly box: RefObject<HTMLDivElement>;
  /** Whether the decision can go; asks for the words if it cannot. */
  readonly check: () => boolean;
}

export function useWords(text: string, areNeeded: boolean): Words {
  const [asked, setAsked] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const isEmpty = areNeeded && text.trim() === '';
  return {
    text,
    areNeeded,
    areMissing: asked && isEmpty,
    box,
    check: () => {
      if (!isEmpty) return true;
      setAsked(true);
      box.current?.querySelector('textarea')?.focus();
      return false;
    },
  };
}

interface Props {
  readonly words: Words;
  /** Who reads the words of rows that are sent back. */
  readonly reader: string;
  readonly onChange: (text: string) => void;
  readonly onSend: () => void;
}

/** Why it is decided so: for the audit log, and for the partner where rows are sent back. */
export function Why({ words, reader, onChange, onSend }: Props) {
  const { text, areNeeded, areMissing, box } = words;
  return (
    <div ref={box} class="why">
      {areNeeded && (
        <p class="notice notice-warn">
          {reader} reads these words beside each row that is sent back, together with what the rules found. Keep out of them what only your house may
          know.
        </p>
      )}
      <Field
        label={areNeeded ? 'What is to be repaired (also for the audit log)' : 'Why (for the audit log)'}
        rows={2}
        name="why"
        required={areNeeded}
        autofocus={areNeeded}
        hint={areNeeded && 'Ctrl Enter sends the decision.'}
        error={areMissing ? 'Rows are sent back only with a word about what is wrong with them. Nothing was sent yet.' : undefined}
        value={text}
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onSend();
        }}
      />
    </div>
  );
}
