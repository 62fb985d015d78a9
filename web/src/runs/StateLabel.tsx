import type { RunSummary } from '../api/extra';
import { Badge } from '../ui';
import { shownState } from './state';

export function StateLabel({ run }: { run: Pick<RunSummary, 'state' | 'deadLetter' | 'failure'> }) {
  const { label, tone } = shownState(run);
  const why = run.deadLetter ?? run.failure;
  return (
    <Badge tone={tone} {...(why ? { title: why.message } : {})}>
      {label}
    </Badge>
  );
}
