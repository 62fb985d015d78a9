import { useRef, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import type { CaseView } from '../../api/extra';
import { Button, ErrorPanel, Field, Time } from '../../ui';
import { comment } from '../api';

interface Props {
  readonly of: CaseView;
  readonly canComment: boolean;
  readonly onChange: (of: CaseView) => void;
}

const keyOf = (caseId: string) => `sluice.comment.${caseId}`;

/** What people said to each other about the case. A comment that is not sent yet outlives a reload. */
export function Comments({ of, canComment, onChange }: Props) {
  const [text, setText] = useState(() => localStorage.getItem(keyOf(of.caseId)) ?? '');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const key = useRef(crypto.randomUUID());
  const type = (next: string) => {
    key.current = crypto.randomUUID();
    setText(next);
    if (next) localStorage.setItem(keyOf(of.caseId), next);
    else localStorage.removeItem(keyOf(of.caseId));
  };
  const send = async () => {
    setBusy(true);
    setError(null);
    try {
      onChange(await comment(of.caseId, text.trim(), key.current));
      type('');
    } catch (thrown) {
      setError(asApiError(thrown));
    }
    setBusy(false);
  };
  const { comments } = of;
  if (comments.length === 0 && !canComment) return null;
  return (
    <section class="detail-part">
      <h3>Comments</h3>
      {comments.length > 0 && (
        <ol class="log">
          {comments.map((one) => (
            <li key={`${one.at}${one.by.id}`}>
              <span>
                <strong>{one.by.name}</strong> <Time at={one.at} />
              </span>
              <p class="quote">{one.text}</p>
            </li>
          ))}
        </ol>
      )}
      {canComment && (
        <form
          class="comment-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() && !busy) void send();
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
            // The page has a use for this key, too.
            event.preventDefault();
            event.currentTarget.requestSubmit();
          }}
        >
          <Field label="Comment" hideLabel rows={2} name="comment" placeholder="Comment for the others" value={text} onInput={(event) => type(event.currentTarget.value)} />
          {error && <ErrorPanel error={error} title="The comment was not saved; it is still here" />}
          <Button size="small" type="submit" icon="comment" busy={busy} disabled={!text.trim()}>
            Comment
          </Button>
        </form>
      )}
    </section>
  );
}
