/** Stroke paths on a 16x16 grid. */
const PATHS = {
  alert: 'M8 2 14.5 13.5h-13zM8 6.5v3M8 11.6v.1',
  archive: 'M2 3h12v3H2zM3 6v7h10V6M6.5 9h3',
  arrowLeft: 'M13 8H3m4-4L3 8l4 4',
  arrowRight: 'M3 8h10M9 4l4 4-4 4',
  ban: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M3.8 3.8l8.4 8.4',
  check: 'm3 8.5 3.2 3.2L13 5',
  chevronDown: 'm4 6 4 4 4-4',
  chevronRight: 'm6 4 4 4-4 4',
  clock: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 5v3.2l2 1.3',
  close: 'm4 4 8 8m0-8-8 8',
  comment: 'M2.5 3h11v8H7l-3 2.5V11H2.5z',
  dashboard: 'M2.5 2.5h4.5v6H2.5zM9 2.5h4.5v3.5H9zM9 8h4.5v5.5H9zM2.5 10.5H7v3H2.5z',
  download: 'M8 2.5v7.5m-3-3 3 3 3-3M3 13h10',
  edit: 'M10.5 3 13 5.5 6 12.5l-3 .5.5-3z',
  file: 'M4 2h5l3 3v9H4zM9 2v3h3',
  filter: 'M2.5 3.5h11M4.5 8h7M6.5 12.5h3',
  help: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.3 6.3a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.9.6-.9 1.2M8 11.3v.1',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 7.5v3.5M8 5v.1',
  menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5',
  pause: 'M5.5 3.5v9m5-9v9',
  pipeline: 'M3.5 2.5v5c0 2 1 3 3 3h6M10 8l2.5 2.5L10 13M3.5 13.5v-.1',
  play: 'M5 3l8 5-8 5z',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3',
  review: 'M2.5 4.5 4 6l2.5-3M2.5 11 4 12.5l2.5-3M9 4.5h4.5M9 11h4.5',
  run: 'M2.5 8h2.5l2-5 3 10 1.6-5h1.9',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2',
  signOut: 'M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.2m0 10.6v1.2M1.5 8h1.2m10.6 0h1.2M3.4 3.4l.9.9m7.4 7.4.9.9m0-9.2-.9.9m-7.4 7.4-.9.9',
  system: 'M2 3h12v8H2zM6 14h4M8 11v3',
  undo: 'M5.5 3 2.5 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6',
  upload: 'M8 10.5V3M5 6l3-3 3 3M3 13h10',
  user: 'M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4M3 13.5c.4-2.6 2.3-4 5-4s4.600 1.400 5 4',
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  readonly name: IconName;
  /** For icons that stand alone; beside text they say nothing. */
  readonly label?: string;
  readonly size?: number;
}

export function Icon({ name, label, size = 16 }: Props) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })}>
      <path d={PATHS[name]} />
    </svg>
  );
}
