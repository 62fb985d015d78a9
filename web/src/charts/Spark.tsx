import './charts.css';

export interface SparkBar {
  readonly key: string;
  readonly value: number;
  readonly bad: boolean;
}

/** A row of small bars for a table cell; `label` says what they show. */
export function Spark({ bars, label }: { bars: readonly SparkBar[]; label: string }) {
  const most = Math.max(...bars.map((bar) => bar.value), 1);
  const slot = 100 / Math.max(bars.length, 1);
  return (
    <svg class="chart-spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      {bars.map((bar, index) => {
        const height = bar.value === 0 ? 0 : Math.max(1.5, (bar.value / most) * 23);
        return <rect key={bar.key} class={bar.bad ? 'chart-spark-bad' : ''} x={index * slot + slot * 0.15} width={slot * 0.7} y={24 - height} height={height} />;
      })}
    </svg>
  );
}
