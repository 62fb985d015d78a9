import { Badge } from '../../ui';
import type { QualityVerdict } from './report';
import './findings.css';

/** Whether each quality rule of the contract holds for the whole file. */
export function Quality({ report }: { report: { readonly verdicts: readonly QualityVerdict[] } }) {
  if (report.verdicts.length === 0) return null;
  return (
    <section class="card findings" aria-label="Quality rules of the contract">
      <h2>Quality rules of the contract</h2>
      <ul class="quality">
        {report.verdicts.map((verdict) => (
          <li key={verdict.quality}>
            <Badge tone={verdict.holds ? 'good' : verdict.warnOnly ? 'warn' : 'bad'}>
              {verdict.holds ? 'holds' : verdict.warnOnly ? 'warning' : 'broken'}
            </Badge>
            <span>{verdict.message}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
