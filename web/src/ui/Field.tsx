import type { ComponentChildren, JSX, Ref } from 'preact';
import { useId } from 'preact/hooks';

interface Props extends Omit<JSX.IntrinsicElements['input'], 'label' | 'ref' | 'id'> {
  readonly label: string;
  /** The label is read out, but not shown. */
  readonly hideLabel?: boolean;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  /** Several lines. */
  readonly rows?: number;
  readonly inputRef?: Ref<HTMLInputElement>;
}

/** A text field with its label, hint and error. */
export function Field({ label, hideLabel = false, hint, error, rows, inputRef, class: extra, ...rest }: Props) {
  const id = useId();
  const described = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  const shared = {
    id,
    class: 'input',
    'aria-invalid': error ? true : undefined,
    ...(described && { 'aria-describedby': described }),
  };
  return (
    <div class={['field', extra].filter(Boolean).join(' ')}>
      <label for={id} class={hideLabel ? 'visually-hidden' : 'label'}>
        {label}
      </label>
      {rows ? (
        <textarea {...(rest as unknown as JSX.IntrinsicElements['textarea'])} {...shared} rows={rows} />
      ) : (
        <input type="text" {...rest} {...shared} ref={inputRef ?? null} />
      )}
      {hint && !error && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
