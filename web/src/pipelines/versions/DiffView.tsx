import { changedLines, diff, type DiffLine } from './diff';

const SIGNS: Readonly<Record<DiffLine['kind'], string>> = { same: ' ', added: '+', removed: '−' };
const SAID: Readonly<Record<DiffLine['kind'], string>> = { same: '', added: 'added: ', removed: 'removed: ' };

/** What differs between two texts, line by line. */
export function DiffView({ title, before, after }: { title: string; before: string; after: string }) {
  const parts = diff(before, after);
  const { added, removed } = changedLines(parts);
  return (
    <section class="diff" aria-label={title}>
      <header class="diff-head">
        <h2>{title}</h2>
        {parts.length === 0 ? (
          <span class="diff-none">no difference</span>
        ) : (
          <span class="diff-sum">
            <span class="diff-plus">+{added}</span> <span class="diff-minus">−{removed}</span>
          </span>
        )}
      </header>
      {parts.length > 0 && (
        <div class="diff-scroll" tabIndex={0} role="group" aria-label={`${title}: changed lines`}>
          <table class="diff-lines">
            <tbody>
              {parts.map((part, i) =>
                'passedOver' in part ? (
                  <tr key={i} class="diff-gap">
                    <td colSpan={4}>{part.passedOver} unchanged {part.passedOver === 1 ? 'line' : 'lines'}</td>
                  </tr>
                ) : (
                  part.lines.map((line, j) => <Line key={`${i}.${j}`} line={line} />)
                ),
              )}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Line({ line }: { line: DiffLine }) {
  return (
    <tr class={`diff-${line.kind}`}>
      <td class="diff-number">{line.before}</td>
      <td class="diff-number">{line.after}</td>
      <td class="diff-sign" aria-hidden="true">{SIGNS[line.kind]}</td>
      <td class="diff-text">
        {line.kind !== 'same' && <span class="visually-hidden">{SAID[line.kind]}</span>}
        {line.text || ' '}
      </td>
    </tr>
  );
}
