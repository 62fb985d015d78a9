import type { CaseView, DecisionView } from '../../api/extra';
import { Badge, plural, Time } from '../../ui';
import { verdictName, verdictTone, verdictWords } from '../case/verdicts';

function exceptions(decision: DecisionView): string {
  const kinds = Object.values(decision.rows).map((verdict) => verdict.verdict);
  return (['approve', 'correct', 'reject', 'return'] as const)
    .map((kind) => [kind, kinds.filter((one) => one === kind).length] as const)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${verdictName(kind)} ${plural(count, 'row')}`)
    .join(', ');
}

/** Who decided what, and when. */
export function Decisions({ of }: { readonly of: CaseView }) {
  if (of.decisions.length === 0) return null;
  return (
    <section class="detail-part">
      <h3>Decisions</h3>
      <ol class="log">
        {of.decisions.map((decision) => (
          <li key={decision.at}>
            <span>
              <strong>{decision.by.name}</strong> <Badge tone={verdictTone(decision.verdict)}>{verdictWords(decision.verdict)}</Badge>{' '}
              {Object.keys(decision.rows).length > 0 && <span>except {exceptions(decision)}</span>} <Time at={decision.at} />
            </span>
            {decision.comment && <p class="quote">{decision.comment}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}
