import type { ApiError } from '../../api/client';
import type { CaseView } from '../../api/extra';
import { session } from '../../auth/session';
import { Button, Icon, plural, Time } from '../../ui';
import { isMyFirst, isTaken, isWaiting } from '../caseState';
import { verdictWords } from './verdicts';

interface Props {
  readonly of: CaseView;
  readonly conflict: ApiError | null;
  readonly stale: boolean;
  readonly restored: boolean;
  /** Verdicts were given that are not sent. */
  readonly hasDraft: boolean;
  readonly onAgree: () => void;
  readonly onKeepDraft: () => void;
  readonly onDiscard: () => void;
}

/** What a reviewer must know before deciding: who did what meanwhile, and what that means for the draft. */
export function Banner({ of, conflict, stale, restored, hasDraft, onAgree, onKeepDraft, onDiscard }: Props) {
  const me = session.value?.oid;
  const last = of.decisions.at(-1);
  return (
    <>
      {conflict && (
        <div class="notice notice-warn" role="alert">
          <Icon name="alert" />
          <p>
            Your decision was not taken: {conflict.detail} (<code>{conflict.code}</code>).{' '}
            {last && !isWaiting(of)
              ? `${last.by.id === me ? 'You' : last.by.name} decided this case: ${verdictWords(last.verdict)}. `
              : of.claimedBy && of.claimedBy.id !== me
                ? `${of.claimedBy.name} works on it. `
                : ''}
            You see the case as it is now. Your draft is kept in this browser.
          </p>
        </div>
      )}
      {!conflict && hasDraft && last && !isWaiting(of) && (
        <div class="notice notice-warn" role="alert">
          <Icon name="alert" />
          <p>
            {last.by.id === me ? 'You' : last.by.name} decided this case: {verdictWords(last.verdict)}, <Time at={last.at} />. Your own draft was not
            sent; it is kept in this browser.
          </p>
          <Button size="small" onClick={onDiscard}>
            Discard my draft
          </Button>
        </div>
      )}
      {stale && isWaiting(of) && (
        <div class="notice notice-warn" role="alert">
          <Icon name="alert" />
          <p>The rows or values of this case changed since you made your draft. Look at them again, then keep your draft or begin anew.</p>
          <Button size="small" onClick={onKeepDraft}>
            Keep my draft
          </Button>
          <Button size="small" onClick={onDiscard}>
            Begin anew
          </Button>
        </div>
      )}
      {!stale && restored && isWaiting(of) && (
        <div class="notice" role="status">
          <Icon name="info" />
          <p>Your draft from before is here again.</p>
          <Button size="small" onClick={onDiscard}>
            Begin anew
          </Button>
        </div>
      )}
      {of.status === 'confirming' && last && (
        <div class="notice">
          <Icon name="user" />
          <p>
            {isMyFirst(of, me) ? 'You decided first' : `${last.by.name} decided first`}: <strong>{verdictWords(last.verdict)}</strong>
            {Object.keys(last.rows).length > 0 && ` except ${plural(Object.keys(last.rows).length, 'row')}`}, <Time at={last.at} />.{' '}
            {isMyFirst(of, me) ? 'Another person must confirm it; you may undo it or decide again.' : 'A second person must decide the same.'}
          </p>
          {!isMyFirst(of, me) && (
            <Button size="small" shortcut="y" onClick={onAgree}>
              Decide the same
            </Button>
          )}
        </div>
      )}
      {isWaiting(of) && isTaken(of, me) && !conflict && (
        <div class="notice notice-warn">
          <Icon name="user" />
          <p>{of.claimedBy?.name} works on this case. You can look; to decide, ask for it, or let an operator release it.</p>
        </div>
      )}
    </>
  );
}
