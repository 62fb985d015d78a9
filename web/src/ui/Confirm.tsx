import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../api/client';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { ErrorPanel } from './ErrorPanel';

interface Props {
  readonly title: string;
  /** What the confirming button says: the verb of what happens. */
  readonly action: string;
  readonly danger?: boolean;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Asks before something that cannot be taken back. Stays open and says why when it fails. */
export function Confirm({ title, action, danger = false, onConfirm, onClose, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      setError(asApiError(thrown));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep as it is</Button>
          <Button kind={danger ? 'danger' : 'primary'} busy={busy} onClick={() => void confirm()} autofocus>
            {action}
          </Button>
        </>
      }
    >
      {children}
      {error && <ErrorPanel error={error} />}
    </Dialog>
  );
}
