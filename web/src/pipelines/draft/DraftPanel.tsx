import { useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import { hasRole, session } from '../../auth/session';
import { Badge, Button, Confirm, ErrorPanel, Tabs, Time, toast, useShortcuts } from '../../ui';
import { approveDraft, dropDraft, storeDraft, type Draft, type Mistake, type PipelineTexts } from '../api';
import { DiffView } from '../versions/DiffView';
import { Editor } from './Editor';
import { Mistakes } from './Mistakes';
import { TrialPanel } from './TrialPanel';
import { useEditing } from './useEditing';

interface Props {
  readonly name: string;
  /** Null for a pipeline that was never live. */
  readonly live: PipelineTexts | null;
  readonly draft: Draft | null;
  readonly onDraft: (draft: Draft | null) => void;
  readonly onReload: () => void;
  readonly onLive: (texts: PipelineTexts) => void;
}

type View = 'pipeline' | 'contract' | 'diff';

const FILES = { pipeline: 'pipeline.yaml', contract: 'contract.odcs.yaml' } as const;

/** The next version: written and tried by one person, made live by another. */
export function DraftPanel({ name, live, draft, onDraft, onReload, onLive }: Props) {
  const editing = useEditing(name, live, draft);
  const [view, setView] = useState<View>(() => (draft && draft.author.id !== session.value?.oid ? 'diff' : 'pipeline'));
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [ask, setAsk] = useState<'approve' | 'drop' | null>(null);
  const [target, setTarget] = useState<{ readonly line: number } | null>(null);
  const mayEdit = hasRole('Engineer');
  const isAuthor = draft !== null && draft.author.id === session.value?.oid;

  const store = async () => {
    setBusy(true);
    setError(null);
    try {
      onDraft(await storeDraft(name, editing.texts, draft));
      toast('The draft is stored. Somebody else must approve it before it goes live.');
    } catch (thrown) {
      setError(asApiError(thrown));
    }
    setBusy(false);
  };
  const show = (mistake: Mistake) => {
    setView(mistake.file === FILES.contract ? 'contract' : 'pipeline');
    setTarget({ line: mistake.line });
  };
  useShortcuts({ 'Ctrl+s': { label: 'Store the draft', run: () => void store(), off: !mayEdit || !editing.isChanged } });

  const marked = (file: string) => new Set(error?.mistakes.filter((mistake) => mistake.file === file).map((mistake) => mistake.line));
  return (
    <div class="draft">
      <div class="draft-bar">
        <DraftStatus draft={draft} isAuthor={isAuthor} isChanged={editing.isChanged} version={live?.version ?? null} />
        <div class="draft-actions">
          {editing.isChanged && <Button kind="quiet" icon="undo" onClick={editing.revert}>Drop what I typed</Button>}
          {draft && mayEdit && <Button onClick={() => setAsk('drop')}>Delete draft</Button>}
          {mayEdit && <Button kind={editing.isChanged ? 'primary' : 'secondary'} busy={busy} disabled={!editing.isChanged} shortcut="Ctrl+S" onClick={() => void store()}>Store draft</Button>}
          {draft && hasRole('Engineer', 'Operator') && !isAuthor && (
            <Button kind="primary" icon="check" disabled={editing.isChanged} onClick={() => setAsk('approve')}>Approve</Button>
          )}
        </div>
      </div>
      {editing.isStale && (
        <div class="notice notice-warn" role="alert">
          <p>
            What you typed began with a text that somebody has replaced since. Your text is kept. Look at the difference before you store it: it
            would take back their change.
          </p>
        </div>
      )}
      {error && error.mistakes.length > 0 ? (
        <Mistakes mistakes={error.mistakes} onShow={show} />
      ) : (
        error && <ErrorPanel error={error} title="The draft is not stored; what you typed is kept" {...(error.isConflict ? { onRetry: onReload } : {})} />
      )}
      <Tabs
        label="Texts of the draft"
        tabs={[
          { key: 'pipeline', label: 'Pipeline' },
          { key: 'contract', label: 'Contract' },
          { key: 'diff', label: live ? 'Difference to live' : 'Both texts' },
        ]}
        current={view}
        onChange={(key) => setView(key as View)}
      >
        {view === 'diff' ? (
          <>
            <DiffView title="Pipeline" before={live?.pipeline ?? ''} after={editing.texts.pipeline} />
            <DiffView title="Contract" before={live?.contract ?? ''} after={editing.texts.contract} />
          </>
        ) : (
          <Editor
            key={view}
            label={view === 'pipeline' ? 'YAML of the pipeline' : 'YAML of the contract'}
            value={editing.texts[view]}
            readOnly={!mayEdit}
            marked={marked(FILES[view])}
            target={target}
            onInput={(text) => editing.change({ ...editing.texts, [view]: text })}
          />
        )}
      </Tabs>
      {mayEdit && <TrialPanel name={name} texts={editing.texts} onMistake={show} />}
      {ask === 'approve' && draft && (
        <Confirm
          title={live ? `Make this draft version ${live.version + 1}?` : `Make this draft the first version of ${name}?`}
          action="Approve and make live"
          onClose={() => setAsk(null)}
          onConfirm={async () => {
            const texts = await approveDraft(name, draft.hash);
            toast(`Version ${texts.version} of ${name} is live. Runs that start from now on use it.`);
            onLive(texts);
          }}
        >
          <p>
            <strong>{draft.author.name}</strong> wrote it. New files at its path are checked by it as soon as you approve.
            {live && ' Runs that have started keep the version that they are pinned to.'}
          </p>
          <p>You approve exactly the text that you see: if it was changed since, it is refused.</p>
        </Confirm>
      )}
      {ask === 'drop' && (
        <Confirm
          title="Delete the draft?"
          action="Delete the draft"
          danger
          onClose={() => setAsk(null)}
          onConfirm={async () => {
            await dropDraft(name);
            editing.revert();
            onDraft(null);
            toast('The draft is deleted. The live version is as it was.', 'info');
          }}
        >
          <p>The stored draft{editing.isChanged ? ', and what you typed on top of it,' : ''} will be gone. The live version stays as it is.</p>
        </Confirm>
      )}
    </div>
  );
}

interface StatusProps {
  readonly draft: Draft | null;
  readonly isAuthor: boolean;
  readonly isChanged: boolean;
  /** The live one; null where there is none. */
  readonly version: number | null;
}

function DraftStatus({ draft, isAuthor, isChanged, version }: StatusProps) {
  return (
    <p class="draft-status">
      {isChanged && <Badge tone="warn">not stored</Badge>}{' '}
      {draft ? (
        <>
          Draft by <strong>{isAuthor ? 'you' : draft.author.name}</strong>, stored <Time at={draft.createdAt} />.{' '}
          {isAuthor ? 'Another engineer or an operator must approve it.' : 'Read the difference, try it, then approve it.'}
          {version === null && isAuthor && ' Give them the address of this page: a pipeline that is not live is in no list.'}
        </>
      ) : version === null ? (
        <span class="muted">There is no pipeline of this name yet. Change these texts to what the partner promises, try them on a file, and store the draft.</span>
      ) : (
        <span class="muted">There is no draft. What you see is version {version}; the first change begins one.</span>
      )}
    </p>
  );
}
