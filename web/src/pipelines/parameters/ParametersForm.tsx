import { useState } from 'preact/hooks';

import { asApiError, type ApiError } from '../../api/client';
import { Badge, Button, ErrorPanel, Field, Select, toast } from '../../ui';
import { storeParameters, type ParametersHistory } from '../api';
import { parseValue, type Declared, type Value } from './declared';

interface Props {
  readonly name: string;
  readonly specs: readonly Declared[];
  readonly history: ParametersHistory;
  readonly mayEdit: boolean;
  readonly onStored: (history: ParametersHistory) => void;
  readonly onReload: () => void;
}

/** What is set now; a parameter that is not set has its default. */
function current(history: ParametersHistory): Readonly<Record<string, Value>> {
  return (history.versions.find((version) => version.version === history.version)?.values ?? {}) as Record<string, Value>;
}

export function ParametersForm({ name, specs, history, mayEdit, onStored, onReload }: Props) {
  const set = current(history);
  const initial = Object.fromEntries(specs.map((spec) => [spec.name, String(set[spec.name] ?? spec.default)]));
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>(initial);
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const parsed = specs.map((spec) => ({ spec, result: parseValue(spec.type, typed[spec.name] ?? '') }));
  const isValid = parsed.every(({ result }) => 'value' in result);
  const isChanged = specs.some((spec) => typed[spec.name] !== initial[spec.name]);

  const store = async (event: Event) => {
    event.preventDefault();
    if (!isValid || !isChanged) return;
    // A value equal to the default is left out, so that it follows a later change of the default.
    const values = Object.fromEntries(
      parsed.flatMap(({ spec, result }) => ('value' in result && result.value !== spec.default ? [[spec.name, result.value]] : [])),
    );
    setBusy(true);
    setError(null);
    try {
      onStored(await storeParameters(name, values, comment, history.version));
      toast('The values are set for runs that start from now on.');
    } catch (thrown) {
      setError(asApiError(thrown));
      setBusy(false);
    }
  };
  return (
    <form class="card parameters-form" onSubmit={(event) => void store(event)}>
      <h2>Values for runs that start from now on</h2>
      {parsed.map(({ spec, result }) => (
        <div key={spec.name} class="parameter-line">
          <ParameterField
            spec={spec}
            value={typed[spec.name] ?? ''}
            error={'error' in result ? result.error : undefined}
            disabled={!mayEdit}
            onChange={(value) => setTyped({ ...typed, [spec.name]: value })}
          />
          <span class="parameter-default muted">
            {typed[spec.name] === String(spec.default) ? (
              <Badge>default</Badge>
            ) : (
              <>
                default <code>{String(spec.default)}</code>
                {mayEdit && (
                  <Button kind="quiet" size="small" onClick={() => setTyped({ ...typed, [spec.name]: String(spec.default) })}>
                    Set back<span class="visually-hidden"> {spec.name}</span>
                  </Button>
                )}
              </>
            )}
          </span>
        </div>
      ))}
      {error && (
        <ErrorPanel
          error={error}
          title="The values are not set; what you typed is kept"
          {...(error.isConflict ? { onRetry: onReload } : {})}
        />
      )}
      {mayEdit && (
        <div class="parameters-end">
          <Field label="Why (kept in the history)" value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
          <Button type="submit" kind="primary" busy={busy} disabled={!isValid || !isChanged}>Set values</Button>
        </div>
      )}
      {!mayEdit && <p class="muted">Engineers and operators can change these values.</p>}
    </form>
  );
}

interface FieldProps {
  readonly spec: Declared;
  readonly value: string;
  readonly error: string | undefined;
  readonly disabled: boolean;
  readonly onChange: (value: string) => void;
}

const TRUTH = ['true', 'false'].map((value) => ({ value, label: value }));

function ParameterField({ spec, value, error, disabled, onChange }: FieldProps) {
  if (spec.type === 'boolean') return <Select label={spec.name} value={value} options={TRUTH} disabled={disabled} onChange={onChange} />;
  return (
    <Field
      label={spec.name}
      hint={spec.description || spec.type}
      error={error}
      value={value}
      disabled={disabled}
      type={spec.type === 'date' ? 'date' : 'text'}
      inputMode={spec.type === 'integer' ? 'numeric' : spec.type === 'number' ? 'decimal' : 'text'}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}
