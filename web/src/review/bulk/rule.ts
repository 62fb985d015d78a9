/** What becomes of a column in many rows at once. */
export type Rule =
  | { readonly kind: 'set'; readonly value: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'replace'; readonly find: string; readonly by: string; readonly ignoreCase: boolean };

/** The new value of a cell; undefined where the rule has nothing to do. Null is an empty cell. */
export function applyRule(rule: Rule, before: string | null): string | null | undefined {
  if (rule.kind === 'empty') return before === null ? undefined : null;
  if (rule.kind === 'set') return before === rule.value ? undefined : rule.value;
  if (before === null || rule.find === '') return undefined;
  // A function as replacement: `$&` and its like are text here.
  const after = before.replace(new RegExp(literally(rule.find), rule.ignoreCase ? 'giu' : 'gu'), () => rule.by);
  return after === before ? undefined : after;
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, (char) => `\\${char}`);
