import type { EventView, RunDetail } from '../../api/extra';
import { formatDuration } from '../../ui';
import { axis, steps, type Bar, type StepName, type StepStatus } from './timeline';

const LABELS: Readonly<Record<StepName, { readonly label: string; readonly does: string }>> = {
  admit: { label: 'Admit', does: 'the file was noticed and matched with a pipeline' },
  move: { label: 'Move', does: 'copied out of the landing zone and hashed' },
  seal: { label: 'Seal', does: 'checksum compared, cut into chunks' },
  transform: { label: 'Transform', does: 'every row checked against contract and rules' },
  gather: { label: 'Gather', does: 'whole-file checks and the proof that no row is lost' },
  review: { label: 'Review', does: 'people decide about held rows' },
  publish: { label: 'Publish', does: 'one atomic commit to the table' },
  archive: { label: 'Archive', does: 'manifest, receipt and audit trail' },
};

const STATUS: Readonly<Record<StepStatus, string>> = {
  done: 'done',
  active: 'in progress',
  stuck: 'stuck',
  failed: 'failed',
  refused: 'refused',
  stopped: 'cancelled here',
  waiting: 'not yet',
  skipped: 'not needed',
  unreached: 'not reached',
};

/** How much of an event's detail tells something about its step. */
function fact(name: StepName, run: RunDetail, events: readonly EventView[]): string | null {
  const detail = (action: string) => events.findLast((event) => event.action === action)?.detail as Record<string, unknown> | undefined;
  switch (name) {
    case 'move':
      return run.segments > 1 ? `${run.segments} segments` : null;
    case 'transform': {
      if (run.chunks === 0) return null;
      const again = detail('run.excluded') ? ', twice because of repeated keys' : '';
      return `${run.chunks} ${run.chunks === 1 ? 'chunk' : 'chunks'}${again}`;
    }
    case 'review':
      return run.cases > 0 ? `${run.cases - run.openCases} of ${run.cases} ${run.cases === 1 ? 'case' : 'cases'} decided` : null;
    case 'publish': {
      const table = detail('run.published')?.['table'];
      if (typeof table !== 'string') return null;
      return run.tableVersion == null ? `${table}: no row to publish` : `${table}, version ${run.tableVersion}`;
    }
    default:
      return null;
  }
}

interface Props {
  readonly run: RunDetail;
  readonly events: readonly EventView[];
  readonly now: number;
}

/** The steps of a run as a Gantt chart: what took how long, and where it stands. */
export function Timeline({ run, events, now }: Props) {
  const all = steps(run, events);
  const { bars, isShortened } = axis(all, now);
  return (
    <>
      <ol class="run-steps">
        {all.map((step) => (
          <li key={step.name} class={`run-step run-step-${step.status}`}>
            <span class="run-step-dot" aria-hidden="true" />
            <span class="run-step-name" title={LABELS[step.name].does}>{LABELS[step.name].label}</span>
            <StepBar bar={bars.find((bar) => bar.step === step)} />
            <span class="run-step-time">{step.from === null ? STATUS[step.status] : formatDuration((step.to ?? now) - step.from)}</span>
            <span class="run-step-fact">
              {step.from !== null && step.status !== 'done' && <strong>{step.name === 'review' && step.status === 'active' ? 'waits for people' : STATUS[step.status]}</strong>} {fact(step.name, run, events)}
            </span>
          </li>
        ))}
      </ol>
      {isShortened && <p class="muted run-scale">A wait took longer than all work together; its bar is drawn shorter than it was.</p>}
    </>
  );
}

const MOST = 1000;
/** A bar that short is still seen. */
const LEAST = 5;

function StepBar({ bar }: { bar: Bar | undefined }) {
  return (
    <svg class="run-step-bar" viewBox={`0 0 ${MOST} 8`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="run-step-track" x="0" y="3" width={MOST} height="2" />
      {bar && (
        <rect class="run-step-fill" x={Math.min(bar.from * MOST, MOST - LEAST)} y="0" width={Math.max(bar.length * MOST, LEAST)} height="8" rx="2" />
      )}
    </svg>
  );
}
