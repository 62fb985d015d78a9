import './charts.css';

export interface Part {
  readonly name: string;
  readonly label: string;
  readonly value: number;
}

/** Smallest share that is drawn of a part that is not empty: one rejected row of a million is seen, too. */
const VISIBLE = { wide: 0.006, thin: 0.035 };

/** Shares of a whole as one bar. What it shows is told in words by `label`. */
export function Stack({ parts, label, thin = false }: { parts: readonly Part[]; label: string; thin?: boolean }) {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const shown = parts.filter((part) => part.value > 0);
  const widths = shown.map((part) => Math.max(part.value / total, thin ? VISIBLE.thin : VISIBLE.wide));
  const sum = widths.reduce((all, width) => all + width, 0);
  let x = 0;
  return (
    <svg class={thin ? 'chart-stack chart-stack-thin' : 'chart-stack'} viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label={label}>
      {shown.map((part, i) => {
        const width = (widths[i]! / sum) * 1000;
        const left = x;
        x += width;
        return <rect key={part.name} class={`chart-fill-${part.name}`} x={left} y="0" width={width} height="10" />;
      })}
    </svg>
  );
}
