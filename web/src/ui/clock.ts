import { signal } from '@preact/signals';

/** Now, for relative times; ticks often enough for minutes. */
export const now = signal(Date.now());

setInterval(() => (now.value = Date.now()), 15_000);
