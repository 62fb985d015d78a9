import type { CaseView } from '../api/extra';
import { session } from '../auth/session';
import { Badge, Time } from '../ui';
import { now } from '../ui/clock';
import { isOverdue } from './caseState';

const STATUS = {
  opening: ['info', 'opening'],
  open: ['neutral', 'open'],
  confirming: ['warn', '1 of 2 agree'],
  decided: ['good', 'decided'],
  void: ['neutral', 'void'],
} as const;

export function StatusBadge({ of }: { readonly of: CaseView }) {
  const [tone, label] = STATUS[of.status as keyof typeof STATUS] ?? ['neutral', of.status];
  return <Badge tone={tone}>{label}</Badge>;
}

/** When it is due; an overdue one says so in words, not only by its colour. */
export function Due({ of }: { readonly of: CaseView }) {
  const overdue = isOverdue(of, now.value);
  return (
    <span class={overdue ? 'due is-overdue' : 'due'}>
      {overdue && <Badge tone="bad">overdue</Badge>}
      <Time at={of.dueAt} />
    </span>
  );
}

export function Claim({ of }: { readonly of: CaseView }) {
  if (!of.claimedBy) return <span class="muted">–</span>;
  return of.claimedBy.id === session.value?.oid ? <Badge tone="info">you</Badge> : <span>{of.claimedBy.name}</span>;
}
