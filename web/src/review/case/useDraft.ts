import { useCallback, useRef, useState } from 'preact/hooks';

import { session } from '../../auth/session';
import { toast } from '../../ui';
import { emptyDraft, isEmpty, type Draft } from './draft';
import { pack, type Packed, unpack } from './pack';

type Kept = Omit<Draft, 'rows'> & { readonly rows: Packed };

const keyOf = (caseId: string): string => `sluice.draft.${session.value?.oid}.${caseId}`;

function load(caseId: string): Draft | null {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(caseId)) ?? 'null') as Kept | null;
    return kept && { ...kept, rows: unpack(kept.rows) };
  } catch {
    return null;
  }
}

/** Keeps a draft; false if the browser has no room for it. */
export function saveDraft(caseId: string, draft: Draft): boolean {
  try {
    if (isEmpty(draft)) localStorage.removeItem(keyOf(caseId));
    else localStorage.setItem(keyOf(caseId), JSON.stringify({ ...draft, rows: pack(draft.rows) } satisfies Kept));
    return true;
  } catch {
    return false;
  }
}

export interface DraftState {
  readonly draft: Draft;
  /** The draft was there from before. */
  readonly restored: boolean;
  /** The rows changed since the draft was made. */
  readonly stale: boolean;
  readonly change: (change: (draft: Draft) => Draft) => void;
  /** A change that `back` does not know of, such as every letter that is typed. */
  readonly amend: (change: (draft: Draft) => Draft) => void;
  /** Takes the last change back; false if there is none. */
  readonly back: () => boolean;
  readonly discard: () => void;
}

/** How many steps `back` can go. */
const STEPS = 30;

/** The draft of a case. Every change is in the browser's storage before it is on the screen. */
export function useDraft(caseId: string, digest: string): DraftState {
  const [initial] = useState(() => load(caseId));
  const [draft, setDraft] = useState<Draft>(initial ?? emptyDraft(digest));
  const latest = useRef(draft);
  const history = useRef<Draft[]>([]);
  const warned = useRef(false);

  const set = useCallback(
    (next: Draft) => {
      latest.current = next;
      if (!saveDraft(caseId, next) && !warned.current) {
        warned.current = true;
        toast('The browser cannot keep this draft: send the decision before you close or reload the page.', 'bad');
      }
      setDraft(next);
    },
    [caseId],
  );
  const change = useCallback(
    (edit: (draft: Draft) => Draft) => {
      history.current = [...history.current.slice(1 - STEPS), latest.current];
      set(edit(latest.current));
    },
    [set],
  );
  const amend = useCallback((edit: (draft: Draft) => Draft) => set(edit(latest.current)), [set]);
  const back = useCallback(() => {
    const previous = history.current.pop();
    if (!previous) return false;
    set(previous);
    return true;
  }, [set]);
  const discard = useCallback(() => {
    history.current = [];
    set(emptyDraft(digest));
  }, [set, digest]);

  return { draft, restored: initial !== null, stale: draft.digest !== digest && !isEmpty(draft), change, amend, back, discard };
}
