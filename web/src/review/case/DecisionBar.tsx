import { Button, formatCount } from '../../ui';
import type { Tally } from './draft';
import type { PlainVerdict } from './verdicts';

interface Props {
  readonly counts: Tally;
  /** What a verdict would be given to now. */
  readonly target: string;
  readonly onSend: () => void;
  readonly onRest: (verdict: PlainVerdict) => void;
  readonly onBack: () => void;
}

/** How far the decision is, and the step to its end. */
export function DecisionBar({ counts, target, onSend, onRest, onBack }: Props) {
  const done = counts.approve + counts.reject + counts.return + counts.correct;
  return (
    <div class="decision-bar" role="group" aria-label="Decision">
      <p class="decision-tally" role="status">
        <span class="tally-good">{formatCount(counts.approve)} approved</span>
        <span class="tally-info">{formatCount(counts.correct)} corrected</span>
        <span class="tally-bad">{formatCount(counts.reject)} rejected</span>
        <span class="tally-warn">{formatCount(counts.return)} sent back</span>
        <strong>{formatCount(counts.undecided)} undecided</strong>
        <span class="muted tally-target">Keys act on {target}</span>
      </p>
      <div class="decision-actions">
        <Button size="small" kind="quiet" icon="undo" shortcut="u" disabled={done === 0} onClick={onBack}>
          Back
        </Button>
        {counts.undecided > 0 && (
          <>
            <Button size="small" shortcut="A" onClick={() => onRest('approve')}>
              Approve the rest
            </Button>
            <Button size="small" shortcut="R" onClick={() => onRest('reject')}>
              Reject the rest
            </Button>
            <Button size="small" shortcut="B" onClick={() => onRest('return')}>
              Send the rest back
            </Button>
          </>
        )}
        <Button size="small" kind="primary" shortcut="s" disabled={counts.undecided > 0} onClick={onSend}>
          Review and send
        </Button>
      </div>
    </div>
  );
}
