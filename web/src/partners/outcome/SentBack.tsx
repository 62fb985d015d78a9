/** Rows that a reviewer sent back, with the reviewer's own words, and the way to send them again. */

import { formatCount, Icon, plural } from '../../ui';
import type { RejectedRow } from './rejected';
import { SENT_BACK } from './reasons';

interface Props {
  readonly count: number;
  /** The first rejected rows; null while they are read. */
  readonly rows: readonly RejectedRow[] | null;
  /** Id of the section where repaired rows are sent. */
  readonly fixes: string;
}

/** Most lines that are named for one message. */
const LINES = 10;

/** Lines by what a reviewer said about them. */
export function byWords(rows: readonly RejectedRow[]): [words: string, lines: number[]][] {
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    const said = row.reasons.find((reason) => reason.code === SENT_BACK);
    if (!said) continue;
    const words = said.message.replace(/^sent back to you: /, '');
    groups.set(words, [...(groups.get(words) ?? []), row.line]);
  }
  return [...groups];
}

export function SentBack({ count, rows, fixes }: Props) {
  if (count === 0) return null;
  const groups = rows ? byWords(rows) : [];
  const told = groups.reduce((sum, [, lines]) => sum + lines.length, 0);
  return (
    <section class="panel sent-back" aria-labelledby="sent-back-title">
      <h2 id="sent-back-title">
        <Icon name="undo" /> Sent back to you
      </h2>
      <p>
        A person looked at {plural(count, 'row')} of this file and asks you to repair {count === 1 ? 'it' : 'them'}. {count === 1 ? 'It is' : 'They are'} not
        published; the other accepted rows are not affected.
      </p>
      <ul class="sent-back-words">
        {groups.map(([words, lines]) => (
          <li key={words}>
            <blockquote>{words}</blockquote>
            <span class="muted">
              {lines.length === 1 ? 'Line' : 'Lines'} {lines.slice(0, LINES).map(formatCount).join(', ')}
              {lines.length > LINES && ` and ${formatCount(lines.length - LINES)} more`}
            </span>
          </li>
        ))}
      </ul>
      {rows && told < count && <p class="muted">{plural(count - told, 'row')} more {count - told === 1 ? 'stands' : 'stand'} in the download of the rejected rows, with the words.</p>}
      <p>
        Download the rejected rows, repair those that say <q>sent back to you</q>, and <a href={`#${fixes}`}>send them again</a>.
      </p>
    </section>
  );
}
