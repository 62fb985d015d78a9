interface Props {
  readonly label: string;
  /** Between 0 and `max`. */
  readonly value: number;
  readonly max?: number;
  readonly tone?: 'accent' | 'good' | 'warn' | 'bad';
}

/** How far something is. */
export function Meter({ label, value, max = 1, tone = 'accent' }: Props) {
  const share = max > 0 ? Math.min(Math.max(value / max, 0), 1) : 0;
  const percent = Math.round(share * 100);
  return (
    <div class={`meter meter-${tone}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <div class="meter-fill" style={{ width: `${share * 100}%` }} />
    </div>
  );
}
