import type { CountsView } from '../api/extra';
import { Stack } from '../charts/Stack';
import { formatCount } from '../ui';
import { outcomes } from './outcomes';

/** Rows by outcome as one bar. */
export function OutcomeStack({ counts, thin = false }: { counts: CountsView; thin?: boolean }) {
  const all = outcomes(counts);
  const words = all.filter((one) => one.rows > 0).map((one) => `${formatCount(one.rows)} ${one.label.toLowerCase()}`);
  return (
    <Stack
      thin={thin}
      label={words.length === 0 ? 'no rows' : words.join(', ')}
      parts={all.map((one) => ({ name: one.outcome, label: one.label, value: one.rows }))}
    />
  );
}
