import type { VerdictView } from '../../api/extra';
import type { Tone } from '../../ui';

/** Verdicts that need no values: what a key or a button gives. */
export type PlainVerdict = Exclude<VerdictView['verdict'], 'correct'>;

const WORDS: Record<VerdictView['verdict'], [Tone, string]> = {
  approve: ['good', 'approve'],
  reject: ['bad', 'reject'],
  return: ['warn', 'send back'],
  correct: ['info', 'correct'],
};

export const verdictTone = (verdict: VerdictView): Tone => WORDS[verdict.verdict][0];

/** What the verdict is called, without its values. */
export const verdictName = (verdict: VerdictView['verdict']): string => WORDS[verdict][1];

export function verdictWords(verdict: VerdictView): string {
  if (verdict.verdict !== 'correct') return verdictName(verdict.verdict);
  return Object.entries(verdict.values)
    .map(([column, value]) => `${column} → ${value ?? 'empty'}`)
    .join(', ');
}
