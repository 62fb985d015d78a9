import { Link } from 'wouter-preact';

import type { CaseView } from '../../api/extra';
import { plural, Time } from '../../ui';
import { causeName } from '../caseState';
import { Claim, Due, StatusBadge } from '../CaseBadges';

/** The facts of a case in one line. */
export function CaseHead({ of }: { readonly of: CaseView }) {
  return (
    <dl class="facts">
      <div>
        <dt>Cause</dt>
        <dd>
          <code>{causeName(of)}</code>
        </dd>
      </div>
      <div>
        <dt>Partner</dt>
        <dd>{of.partner}</dd>
      </div>
      <div>
        <dt>Pipeline</dt>
        <dd>
          <Link href={`/pipelines/${of.pipeline}`}>{of.pipeline}</Link>
        </dd>
      </div>
      <div>
        <dt>Run</dt>
        <dd>
          <Link href={`/runs/${of.runId}`} title={of.runId}>
            {plural(of.rows, 'row')} held
          </Link>
        </dd>
      </div>
      <div>
        <dt>Opened</dt>
        <dd>
          <Time at={of.createdAt} />
        </dd>
      </div>
      <div>
        <dt>Due</dt>
        <dd>
          <Due of={of} />
        </dd>
      </div>
      <div>
        <dt>Taken by</dt>
        <dd>
          <Claim of={of} />
        </dd>
      </div>
      <div>
        <dt>Status</dt>
        <dd>
          <StatusBadge of={of} />
        </dd>
      </div>
    </dl>
  );
}
