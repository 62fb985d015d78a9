import { signal } from '@preact/signals';

/** Whether Sluice answered last time. */
export const online = signal(true);
