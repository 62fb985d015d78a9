import { useEffect, useRef } from 'preact/hooks';

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** 1-based lines with a mistake. */
  readonly marked: ReadonlySet<number>;
  /** A line to show; a new object shows it again. */
  readonly target: { readonly line: number } | null;
  readonly readOnly?: boolean;
}

/** A text area with line numbers. Tab leaves it, as everywhere else: YAML is indented with spaces. */
export function Editor({ label, value, onInput, marked, target, readOnly = false }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLOListElement>(null);
  const count = value.split('\n').length;

  useEffect(() => {
    if (target && area.current) showLine(area.current, target.line);
  }, [target]);

  const follow = () => {
    if (area.current && gutter.current) gutter.current.scrollTop = area.current.scrollTop;
  };
  return (
    <div class="editor">
      <ol class="editor-gutter" ref={gutter} aria-hidden="true">
        {Array.from({ length: count }, (_, i) => (
          <li key={i} class={marked.has(i + 1) ? 'editor-marked' : ''}>{i + 1}</li>
        ))}
      </ol>
      <textarea
        ref={area}
        class="editor-text"
        aria-label={label}
        value={value}
        wrap="off"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        readOnly={readOnly}
        onInput={(event) => onInput(event.currentTarget.value)}
        onScroll={follow}
      />
    </div>
  );
}

function showLine(area: HTMLTextAreaElement, line: number): void {
  const lines = area.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  const height = area.scrollHeight / lines.length;
  area.scrollTop = Math.max(0, (line - 5) * height);
}
