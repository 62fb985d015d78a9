import type { RefObject } from 'preact';

import type { CaseView } from '../../api/extra';
import { Button, Field, Select, type Option } from '../../ui';
import { isFiltered, type QueueFilter } from './filter';

interface Props {
  readonly filter: QueueFilter;
  /** Cases that were read: what can be chosen. */
  readonly cases: readonly CaseView[];
  readonly search: RefObject<HTMLInputElement>;
  readonly onChange: (change: Partial<QueueFilter>) => void;
}

const AGES: readonly Option[] = [
  { value: '', label: 'Any age' },
  { value: '1', label: 'Over 1 hour old' },
  { value: '24', label: 'Over 1 day old' },
  { value: '72', label: 'Over 3 days old' },
  { value: '168', label: 'Over 1 week old' },
];

const DUES: readonly Option[] = [
  { value: '', label: 'Due any time' },
  { value: '4', label: 'Due within 4 hours' },
  { value: '24', label: 'Due within 1 day' },
  { value: '72', label: 'Due within 3 days' },
];

function choices(all: string, values: readonly string[], current: string): Option[] {
  const distinct = [...new Set([...values, current])].filter(Boolean).sort();
  return [{ value: '', label: all }, ...distinct.map((value) => ({ value, label: value }))];
}

export function QueueFilters({ filter, cases, search, onChange }: Props) {
  return (
    <div class="queue-filters" role="search" aria-label="Filter the queue">
      <Field
        label="Search"
        hideLabel
        type="search"
        placeholder="Search  ( / )"
        value={filter.text}
        inputRef={search}
        onInput={(event) => onChange({ text: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Escape' || event.key === 'Enter') event.currentTarget.blur();
        }}
      />
      <Select
        label="Pipeline"
        hideLabel
        value={filter.pipeline}
        options={choices('All pipelines', cases.map((one) => one.pipeline), filter.pipeline)}
        onChange={(pipeline) => onChange({ pipeline })}
      />
      <Select
        label="Partner"
        hideLabel
        value={filter.partner}
        options={choices('All partners', cases.map((one) => one.partner), filter.partner)}
        onChange={(partner) => onChange({ partner })}
      />
      <Select
        label="Cause"
        hideLabel
        value={filter.cause}
        options={choices('All causes', cases.map((one) => one.cause), filter.cause)}
        onChange={(cause) => onChange({ cause })}
      />
      <Select label="Age" hideLabel value={filter.age} options={AGES} onChange={(age) => onChange({ age })} />
      <Select label="Due" hideLabel value={filter.due} options={DUES} onChange={(due) => onChange({ due })} />
      {filter.run && (
        <Button size="small" icon="close" onClick={() => onChange({ run: '' })} title={`Only run ${filter.run}`}>
          One run
        </Button>
      )}
      {isFiltered(filter) && (
        <Button kind="quiet" size="small" onClick={() => onChange({ pipeline: '', partner: '', cause: '', age: '', due: '', run: '', text: '' })}>
          Clear filters
        </Button>
      )}
    </div>
  );
}
