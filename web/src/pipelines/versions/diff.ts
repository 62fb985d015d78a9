import { diffArrays } from 'diff';

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
  /** 1-based number in the old text; null if it is not there. */
  readonly before: number | null;
  readonly after: number | null;
}

/** A stretch of lines, or how many unchanged ones are passed over. */
export type DiffPart = { readonly lines: readonly DiffLine[] } | { readonly passedOver: number };

const lines = (text: string) => text.replace(/\n$/, '').split('\n');

function diffLines(before: string, after: string): readonly DiffLine[] {
  let old = 0;
  let now = 0;
  return diffArrays(lines(before), lines(after)).flatMap((change) =>
    change.value.map((text): DiffLine => {
      if (change.added) return { kind: 'added', text, before: null, after: ++now };
      if (change.removed) return { kind: 'removed', text, before: ++old, after: null };
      return { kind: 'same', text, before: ++old, after: ++now };
    }),
  );
}

/** What differs, with some lines around it; empty if nothing does. */
export function diff(before: string, after: string, context = 3): readonly DiffPart[] {
  const all = diffLines(before, after);
  const near = new Uint8Array(all.length);
  all.forEach((line, i) => {
    if (line.kind !== 'same') near.fill(1, Math.max(0, i - context), i + context + 1);
  });
  if (!near.includes(1)) return [];
  const parts: DiffPart[] = [];
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && near[end] === near[start]) end++;
    parts.push(near[start] === 1 ? { lines: all.slice(start, end) } : { passedOver: end - start });
    start = end;
  }
  return parts;
}

export function changedLines(parts: readonly DiffPart[]): { added: number; removed: number } {
  const changed = parts.flatMap((part) => ('lines' in part ? part.lines : []));
  const count = (kind: DiffLine['kind']) => changed.filter((line) => line.kind === kind).length;
  return { added: count('added'), removed: count('removed') };
}
