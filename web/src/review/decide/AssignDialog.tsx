import { useEffect, useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import type { CaseView } from '../../api/extra';
import { session } from '../../auth/session';
import { Button, Dialog, ErrorPanel, Field, toast } from '../../ui';
import { assign, listCases } from '../api';
import { meet, people } from '../people';

interface Props {
  readonly of: CaseView;
  readonly onChange: (of: CaseView) => void;
  readonly onClose: () => void;
}

/** Gives the case to a person: one who was seen at work here, or anybody by object id. */
export function AssignDialog({ of, onChange, onClose }: Props) {
  const [id, setId] = useState('');
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const others = people.value.filter((person) => person.id !== of.claimedBy?.id && person.id !== session.value?.oid);
  // Who decided lately is likely who decides next. Without the answer a person can still be named.
  useEffect(() => {
    listCases({ status: 'confirming,decided' }).then(
      (page) => meet(page.items),
      () => undefined,
    );
  }, []);
  const give = async (to: { id: string; name: string }) => {
    setBusy(true);
    setError(null);
    try {
      onChange(await assign(of.caseId, to.id, to.name));
      toast(`The case is ${to.name}'s.`);
      onClose();
    } catch (thrown) {
      setError(asApiError(thrown));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Assign the case" onClose={onClose}>
      {others.length > 0 && (
        <ul class="people" aria-label="People">
          {others.map((person) => (
            <li key={person.id}>
              <Button icon="user" busy={busy} onClick={() => void give(person)}>
                {person.name}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <form
        class="assign-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (id.trim() && name.trim()) void give({ id: id.trim(), name: name.trim() });
        }}
      >
        <p class="muted">{others.length > 0 ? 'Somebody else, by the object id of the directory:' : 'Nobody else has worked on cases yet. By the object id of the directory:'}</p>
        <Field label="Name" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        <Field label="Object id" value={id} onInput={(event) => setId(event.currentTarget.value)} />
        <Button type="submit" busy={busy} disabled={!id.trim() || !name.trim()}>
          Assign
        </Button>
      </form>
      {error && <ErrorPanel error={error} title="The case was not assigned" />}
    </Dialog>
  );
}
