import { plural } from '../../ui';
import type { Mistake } from '../api';

interface Props {
  readonly mistakes: readonly Mistake[];
  readonly onShow: (mistake: Mistake) => void;
}

/** Every mistake of the texts; each leads to its line. */
export function Mistakes({ mistakes, onShow }: Props) {
  return (
    <section class="mistakes" role="alert" aria-label="Mistakes">
      <h2>{plural(mistakes.length, 'mistake')} when it was checked last; nothing was stored, and what you typed is kept</h2>
      <ul>
        {mistakes.map((mistake) => (
          <li key={`${mistake.file}${mistake.line}.${mistake.column}${mistake.code}${mistake.path}`}>
            <button type="button" class="list-button mistake" onClick={() => onShow(mistake)}>
              <code>{mistake.file}:{mistake.line}</code>
              <span>
                {mistake.message} <span class="muted">{mistake.path && `${mistake.path}, `}{mistake.code}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
