/** A chosen file before it is sent: where it goes, and whether anything takes it there. */

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { type ApiError, asApiError } from '../../api/client';
import { session } from '../../auth/session';
import { Button, Bytes, ErrorPanel, Field, Time, useLoad } from '../../ui';
import { Beginning } from './Beginning';
import type { Chosen } from './choose';
import { outlook } from './outlook';
import { target, type Target } from './target';
import { tryBeginning } from './trial';
import { TrialView } from './TrialView';
import { send } from './uploads';

interface Props {
  readonly chosen: Chosen;
  readonly path: string;
  /** The submission whose rejected rows this file repairs. */
  readonly fixes?: string | null;
  /** Whose file it is, where that is known. */
  readonly partner?: string | null;
  readonly onSent: () => void;
  readonly onRemove: () => void;
}

export function Prepare({ chosen, path: first, fixes = null, partner: given = null, onSent, onRemove }: Props) {
  const { file, handle } = chosen;
  const isPartner = session.value?.roles.includes('Partner') ?? false;
  const path = useSignal(first);
  const partner = useSignal(given ?? '');
  const found = useSignal<{ path: string; partner: string; target: Target } | null>(null);
  const error = useSignal<ApiError | null>(null);
  const asking = useSignal(false);

  const needsPartner = !isPartner && partner.value.trim() === '';
  const wanted = () => ({ partner: isPartner ? null : partner.value.trim(), path: path.value.trim(), size: file.size, fixes });

  const look = async (): Promise<Target | null> => {
    if (needsPartner || path.value.trim() === '') return null;
    const known = found.value;
    if (known && known.path === path.value && known.partner === partner.value) return known.target;
    asking.value = true;
    error.value = null;
    const asked = { path: path.value, partner: partner.value };
    try {
      const answer = await target(wanted());
      found.value = { ...asked, target: answer };
      // A name that nothing takes is moved, once, to the only place where its like goes; not while the person writes another one.
      const isUntouched = asked.path === first && path.value === first && fixes === null;
      const [only, ...others] = answer.kind === 'untaken' && isUntouched ? answer.suggestions : [];
      if (only !== undefined && others.length === 0) {
        path.value = only;
        return await look();
      }
      return answer;
    } catch (thrown) {
      error.value = asApiError(thrown);
      return null;
    } finally {
      asking.value = false;
    }
  };
  useEffect(() => void look(), []);

  const start = async (anyway: boolean): Promise<void> => {
    let answer = await look();
    // The path was moved to where its like goes while this was asked.
    if (path.value !== found.value?.path || answer !== found.value.target) answer = await look();
    if (!answer || answer.kind === 'occupied' || (answer.kind === 'untaken' && !anyway)) return;
    const { path: to, partner: whose } = wanted();
    send({ file, handle, path: to, partner: whose, fixes, granted: answer.granted });
    onSent();
  };

  const use = (to: string): void => {
    path.value = to;
    void look();
  };
  const current = found.value?.path === path.value ? found.value.target : null;
  const taken = current?.kind === 'taken' ? found.value : null;
  const trial = useLoad(async () => (taken ? tryBeginning(file, taken.path.trim(), isPartner ? null : taken.partner.trim()) : null), [file, taken?.path, taken?.partner]);
  const isDoubtful = taken !== null && trial.data != null && outlook(trial.data) !== 'good';
  if (file.size === 0) {
    return (
      <li class="upload-card">
        <p>
          <strong>{file.name}</strong> is empty, so there is nothing to send. Check how it was made.
        </p>
        <Button onClick={onRemove}>Remove</Button>
      </li>
    );
  }
  return (
    <li class="upload-card" aria-label={file.name}>
      <form
        class="prepare"
        onSubmit={(event) => {
          event.preventDefault();
          void start(false);
        }}
      >
        <div class="upload-title">
          <strong>{file.name}</strong>
          <span class="muted">
            <Bytes value={file.size} />
          </span>
        </div>
        <Beginning file={file} />
        {!isPartner && given === null && (
          <Field
            label="Partner"
            value={partner.value}
            required
            autocomplete="off"
            onInput={(event) => (partner.value = event.currentTarget.value)}
            onBlur={() => void look()}
          />
        )}
        <Field
          label="Path in the landing zone"
          value={path.value}
          required
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => (path.value = event.currentTarget.value)}
          onBlur={() => void look()}
        />
        <p class="prepare-verdict" role="status">
          {asking.value ? <span class="muted">Looking which pipeline takes this path…</span> : current && <Verdict target={current} onUse={use} />}
        </p>
        {error.value && <ErrorPanel error={error.value} />}
        {taken && <TrialView file={file} trial={trial} />}
        <div class="actions">
          <Button type="submit" kind="primary" disabled={needsPartner || current?.kind === 'occupied' || current?.kind === 'untaken'}>
            {isDoubtful ? 'Send anyway' : 'Send'}
          </Button>
          {current?.kind === 'untaken' && <Button onClick={() => void start(true)}>Send anyway</Button>}
          <Button kind="quiet" onClick={onRemove}>
            {isDoubtful ? 'Remove, to choose another file' : 'Remove'}
          </Button>
        </div>
      </form>
    </li>
  );
}

function Verdict({ target, onUse }: { target: Target; onUse: (path: string) => void }) {
  switch (target.kind) {
    case 'taken':
      return (
        <>
          The pipeline <strong>{target.pipeline}</strong> takes files at this path.
        </>
      );
    case 'occupied':
      return (
        <>
          A file was sent to this path <Time at={target.since} />. Files are never overwritten: choose another name.
        </>
      );
    case 'untaken':
      return (
        <>
          No pipeline takes files at this path, so nothing would be published.{' '}
          {target.suggestions.length === 0 && target.paths.length > 0 && <>These paths are taken: {target.paths.join(', ')}</>}
          {target.suggestions.map((path) => (
            <Button key={path} size="small" onClick={() => onUse(path)}>
              Use {path}
            </Button>
          ))}
        </>
      );
  }
}
