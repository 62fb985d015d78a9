import { Field } from '../../ui';
import type { Rule } from './rule';

interface Props {
  readonly rule: Rule;
  readonly onChange: (rule: Rule) => void;
}

const KINDS: readonly (readonly [Rule['kind'], string, Rule])[] = [
  ['set', 'Replace by a value', { kind: 'set', value: '' }],
  ['empty', 'Empty the cells', { kind: 'empty' }],
  ['replace', 'Find and replace text', { kind: 'replace', find: '', by: '', ignoreCase: false }],
];

/** Which rule, and its texts. */
export function RuleFields({ rule, onChange }: Props) {
  return (
    <>
      <fieldset class="bulk-kinds">
        <legend class="label">What to do</legend>
        {KINDS.map(([kind, label, fresh]) => (
          <label key={kind}>
            <input type="radio" name="rule" checked={rule.kind === kind} onChange={() => onChange(fresh)} /> {label}
          </label>
        ))}
      </fieldset>
      {rule.kind === 'set' && (
        <Field
          label="New value"
          class="mono"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={rule.value}
          onInput={(event) => onChange({ ...rule, value: event.currentTarget.value })}
        />
      )}
      {rule.kind === 'replace' && (
        <div class="bulk-texts">
          <Field label="Find" autocomplete="off" spellcheck={false} value={rule.find} onInput={(event) => onChange({ ...rule, find: event.currentTarget.value })} />
          <Field label="Replace with" autocomplete="off" spellcheck={false} value={rule.by} onInput={(event) => onChange({ ...rule, by: event.currentTarget.value })} />
          <label>
            <input type="checkbox" checked={rule.ignoreCase} onChange={(event) => onChange({ ...rule, ignoreCase: event.currentTarget.checked })} /> Ignore
            upper and lower case
          </label>
        </div>
      )}
    </>
  );
}
