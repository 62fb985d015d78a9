import { useState } from 'preact/hooks';

import { asApiError, api, ok, type ApiError } from '../../api/client';
import { Button, ErrorPanel, formatBytes, formatExact, Select, useLoad } from '../../ui';
import type { Mistake, Texts } from '../api';
import { ComparisonView } from './ComparisonView';
import { DryRunView } from './DryRunView';
import { Mistakes } from './Mistakes';
import { compare, dryRun, type Comparison, type DryRun } from './trial';

const MIB = 1 << 20;
const SIZES = [1, 8, 32].map((size) => ({ value: String(size * MIB), label: `First ${size} MiB` }));
const OWN_FILE = 'file';

type Result = { readonly kind: 'comparison'; readonly found: Comparison; readonly run: string } | { readonly kind: 'dryRun'; readonly found: DryRun };

interface Props {
  readonly name: string;
  readonly texts: Texts;
  readonly onMistake: (mistake: Mistake) => void;
}

/** Tries the texts on screen on a file that came before, or on one of one's own. Nothing is stored. */
export function TrialPanel({ name, texts, onMistake }: Props) {
  const runs = useLoad(() => ok(api.GET('/runs', { params: { query: { pipeline: name, limit: 50 } } })), [name]);
  const usable = runs.data?.items.filter((run) => run.state !== 'moving') ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const [bytes, setBytes] = useState(String(MIB));
  const [file, setFile] = useState<File | null>(null);
  const [busy, setBusy] = useState<Result['kind'] | null>(null);
  const [result, setResult] = useState<Result | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const sample = chosen ?? usable[0]?.runId ?? OWN_FILE;
  const isFile = sample === OWN_FILE;
  const limit = Number(bytes);

  const attempt = async (kind: Result['kind'], work: () => Promise<Result>) => {
    setBusy(kind);
    setError(null);
    setResult(null);
    try {
      setResult(await work());
    } catch (thrown) {
      setError(asApiError(thrown));
    }
    setBusy(null);
  };
  const onCompare = () => attempt('comparison', async () => ({ kind: 'comparison', found: await compare(texts, sample, limit), run: sample }));
  const onDryRun = () =>
    attempt('dryRun', async () => {
      const on = file && isFile ? ({ kind: 'file', file, bytes: limit } as const) : ({ kind: 'run', run: sample, bytes: limit } as const);
      return { kind: 'dryRun', found: await dryRun(texts, on) };
    });
  return (
    <section class="card trial" aria-labelledby="trial-head">
      <div>
        <h2 id="trial-head">Try it</h2>
        <p class="muted">The same engine works through a file with the texts above. Nothing is stored or published.</p>
      </div>
      {runs.error && <ErrorPanel error={runs.error} title="Past files cannot be listed" onRetry={runs.reload} />}
      <div class="trial-form">
        <Select
          label="File"
          value={sample}
          options={[
            ...usable.map((run) => ({ value: run.runId, label: `${run.path} (${formatBytes(run.size)}, ${formatExact(run.createdAt)})` })),
            { value: OWN_FILE, label: 'A file from this computer' },
          ]}
          onChange={setChosen}
        />
        {isFile && (
          <label class="trial-file">
            <span class="label">File from this computer</span>
            <input type="file" onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />
          </label>
        )}
        <Select label="How much of it" value={bytes} options={SIZES} onChange={setBytes} />
        <Button kind="primary" busy={busy === 'comparison'} disabled={isFile || busy !== null} onClick={() => void onCompare()}>Show rows that change</Button>
        <Button busy={busy === 'dryRun'} disabled={(isFile && !file) || busy !== null} onClick={() => void onDryRun()}>Dry run</Button>
      </div>
      {error && (error.mistakes.length > 0 ? <Mistakes mistakes={error.mistakes} onShow={onMistake} /> : <ErrorPanel error={error} title="It could not be tried" />)}
      <div aria-live="polite">
        {result?.kind === 'comparison' && <ComparisonView found={result.found} run={result.run} />}
        {result?.kind === 'dryRun' && <DryRunView found={result.found} />}
      </div>
    </section>
  );
}
