import { now } from './clock';
import { formatBytes, formatCount, formatExact, formatRelative } from './format';

/** A point in time, relative to now; the exact one as its title. */
export function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={formatExact(at)}>
      {formatRelative(at, now.value)}
    </time>
  );
}

export function Bytes({ value }: { readonly value: number }) {
  return (
    <span class="number" title={`${formatCount(value)} bytes`}>
      {formatBytes(value)}
    </span>
  );
}

/** A number; zero is dimmed, so that the eye finds the others. */
export function Count({ value }: { readonly value: number }) {
  return <span class={value === 0 ? 'number muted' : 'number'}>{formatCount(value)}</span>;
}
