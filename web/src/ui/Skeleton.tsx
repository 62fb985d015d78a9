interface Props {
  readonly lines?: number;
  readonly label?: string;
}

/** Stands where content will be. */
export function Skeleton({ lines = 6, label = 'Loading' }: Props) {
  return (
    <div class="skeleton" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} class="skeleton-line" />
      ))}
    </div>
  );
}
