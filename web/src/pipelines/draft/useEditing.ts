import { useEffect, useState } from 'preact/hooks';

import type { Draft, PipelineTexts, Texts } from '../api';
import { begun } from '../begun';
import { forget, keep, recall } from './kept';

export interface Editing {
  readonly texts: Texts;
  readonly change: (texts: Texts) => void;
  /** Whether something was typed that is not stored. */
  readonly isChanged: boolean;
  /** Typed on top of something that somebody has replaced since. */
  readonly isStale: boolean;
  /** Back to what is stored. */
  readonly revert: () => void;
}

/** The API refuses fields that it does not know. */
const textsOf = ({ pipeline, contract }: Texts): Texts => ({ pipeline, contract });
const same = (a: Texts, b: Texts) => a.pipeline === b.pipeline && a.contract === b.contract;

/** What a new pipeline begins with is stored nowhere. */
const UNSTORED = '';

/** The texts on screen: what was typed and not stored, else the draft, else the live version, else a beginning. */
export function useEditing(name: string, live: PipelineTexts | null, draft: Draft | null): Editing {
  const stored: Texts & { hash: string } = draft ?? live ?? { ...begun(name), hash: UNSTORED };
  const [typed, setTyped] = useState(() => recall(name));
  const isChanged = typed !== null && !same(typed, stored);

  useEffect(() => {
    // Once it is stored, the copy is of no use.
    if (typed !== null && same(typed, stored)) {
      forget(name);
      setTyped(null);
    }
  }, [name, typed, stored.hash]);

  return {
    texts: textsOf(typed ?? stored),
    isChanged,
    isStale: isChanged && typed.base !== stored.hash,
    change: (texts) => {
      const kept = { ...textsOf(texts), base: typed?.base ?? stored.hash };
      keep(name, kept);
      setTyped(kept);
    },
    revert: () => {
      forget(name);
      setTyped(null);
    },
  };
}
