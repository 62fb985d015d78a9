import { Link } from 'wouter-preact';

import type { CaseView } from '../../api/extra';
import { Count, Time, type Column } from '../../ui';
import { causeName, isWaiting } from '../caseState';
import { Claim, Due, StatusBadge } from '../CaseBadges';

interface Selection {
  readonly has: (caseId: string) => boolean;
  readonly toggle: (caseId: string) => void;
}

export function columns(selection: Selection | null): Column<CaseView>[] {
  const select: Column<CaseView> = {
    key: 'select',
    head: <span class="visually-hidden">Select</span>,
    width: '1.5rem',
    cell: (one) =>
      isWaiting(one) && (
        <input
          type="checkbox"
          aria-label={`Select ${one.title}`}
          checked={selection?.has(one.caseId) ?? false}
          onChange={() => selection?.toggle(one.caseId)}
        />
      ),
  };
  return [
    ...(selection ? [select] : []),
    {
      key: 'title',
      head: 'What is wrong',
      width: 'minmax(0, 4fr)',
      cell: (one) => (
        <Link href={`/reviews/${one.caseId}`} class="case-link" title={one.title}>
          {one.title}
        </Link>
      ),
    },
    {
      key: 'cause',
      head: 'Cause',
      width: 'minmax(0, 1.2fr)',
      optional: true,
      cell: (one) => <code title={causeName(one)}>{causeName(one)}</code>,
    },
    { key: 'partner', head: 'Partner', width: 'minmax(0, 1fr)', optional: true, cell: (one) => one.partner },
    { key: 'pipeline', head: 'Pipeline', width: 'minmax(0, 1fr)', optional: true, cell: (one) => one.pipeline },
    { key: 'rows', head: 'Rows', width: '4rem', align: 'end', cell: (one) => <Count value={one.rows} /> },
    { key: 'age', head: 'Opened', width: '5.5rem', optional: true, cell: (one) => <Time at={one.createdAt} /> },
    { key: 'due', head: 'Due', width: '8.5rem', optional: true, cell: (one) => <Due of={one} /> },
    { key: 'claimed', head: 'Taken by', width: 'minmax(0, 1fr)', optional: true, cell: (one) => <Claim of={one} /> },
    { key: 'status', head: 'Status', width: '6.5rem', cell: (one) => <StatusBadge of={one} /> },
  ];
}
