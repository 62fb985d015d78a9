import './charts.css';

export function Legend({ items }: { items: readonly { readonly name: string; readonly label: string }[] }) {
  return (
    <ul class="chart-legend">
      {items.map((item) => (
        <li key={item.name}>
          <span class={`chart-swatch chart-fill-${item.name}`} aria-hidden="true" />
          {item.label}
        </li>
      ))}
    </ul>
  );
}
