/** What became of the first rows of a file in a trial. It informs; it never holds an upload up. */

import { Button, formatBytes, formatCount, Icon, type Loaded, plural, saveText } from '../../ui';
import { FoundProblem } from '../outcome/Problems';
import { outlook, type Outlook, type Trial } from './outlook';
import { SAMPLE_BYTES } from './trial';

interface Props {
  readonly file: File;
  readonly trial: Loaded<Trial | null>;
}

const TITLE: Record<Outlook, string> = {
  good: 'The trial found nothing wrong',
  mixed: 'Some rows would not be published as they are',
  bad: 'The file would not be taken as it is',
};
const NOTICE: Record<Outlook, string> = { good: 'notice notice-good', mixed: 'notice notice-warn', bad: 'notice notice-bad' };

export function TrialView({ file, trial }: Props) {
  const { data, error, loading } = trial;
  if (loading) {
    return (
      <p class="muted" role="status">
        Trying {file.size > SAMPLE_BYTES ? `the first ${formatBytes(SAMPLE_BYTES)}` : 'the file'} against the contract…
      </p>
    );
  }
  if (error) {
    return (
      <p class="notice" role="status">
        <Icon name="info" /> The file could not be tried before sending: {error.detail} You can send it all the same: every row is checked then.
      </p>
    );
  }
  return data && <Found file={file} trial={data} />;
}

function Found({ file, trial }: { readonly file: File; readonly trial: Trial }) {
  const expected = outlook(trial);
  return (
    <section class="try-out" aria-label="Trial before sending">
      <div class={NOTICE[expected]} role="status">
        <Icon name={expected === 'good' ? 'check' : 'alert'} />
        <div>
          <strong>{TITLE[expected]}.</strong> {inWords(trial)}
          {trial.truncated && ` Only the first ${formatBytes(SAMPLE_BYTES)} of ${formatBytes(file.size)} were tried; the rest is checked once it is sent.`}
        </div>
      </div>
      {trial.refusals.length > 0 && (
        <ul class="try-out-refusals">
          {trial.refusals.map((refusal) => (
            <li key={`${refusal.code}${refusal.message}`}>
              {refusal.message} <code class="muted">{refusal.code}</code>
            </li>
          ))}
        </ul>
      )}
      {trial.problems.length > 0 && (
        <ul class="problems">
          {trial.problems.map(({ code, column, rule, rows, examples }) => (
            <li key={`${code}/${column ?? ''}/${rule ?? ''}`}>
              <FoundProblem problem={{ code, column, rule, count: rows, samples: examples }} rest="Sluice tells all of them once the file is sent." />
            </li>
          ))}
        </ul>
      )}
      {trial.rejected > 0 && (
        <div>
          <Button size="small" icon="download" onClick={() => saveText(trial.rejectedSample, `trial-rejected-${file.name.replace(/\.(gz|zst)$/, '')}`)}>
            Rejected rows of the trial
          </Button>
        </div>
      )}
    </section>
  );
}

/** '98 of 100 rows would be accepted, 1 rejected, 1 would wait for a person.' */
function inWords({ rows, accepted, rejected, held, filtered, duplicate }: Trial): string {
  if (rows === 0) return 'No row could be read.';
  const parts = [
    `${formatCount(accepted)} of ${plural(rows, 'row')} would be accepted`,
    rejected > 0 && `${formatCount(rejected)} rejected`,
    held > 0 && `${formatCount(held)} would wait for a person`,
    filtered > 0 && `${formatCount(filtered)} left out by a filter`,
    duplicate > 0 && `${formatCount(duplicate)} left out as repeats`,
  ];
  return `${parts.filter(Boolean).join(', ')}.`;
}
