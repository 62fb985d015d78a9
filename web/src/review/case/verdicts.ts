import type { VerdictView } from '../../api/extra';
import type { Tone } from '../../ui';

const WORDS: Record<VerdictView['verdict'], [Tone, string]> = {
  approve: ['good', 'approve'],
  reject: ['bad', 'reject'],
  correct: ['info', 'correct'],
};

export const verdictTone = (verdict: VerdictView): Tone => WORDS[verdict.verdict][0];

export function verdictWords(verdict: VerdictView): string {
  if (verdict.verdict !== 'correct') return WORDS[verdict.verdict][1];
  return Object.entries(verdict.values)
    .map(([column, value]) => `${column} → ${value ?? 'empty'}`)
    .join(', ');
}
