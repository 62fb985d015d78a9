import { loadPipelines } from '../../pipelines/api';
import { Field, Select, useLoad } from '../../ui';
import type { RunFilter } from './filter';

interface Props {
  readonly filter: RunFilter;
  readonly onChange: (change: Partial<RunFilter>) => void;
}

const options = (all: string, names: readonly string[], chosen: string) => [
  { value: '', label: all },
  ...[...new Set([...names, ...(chosen ? [chosen] : [])])].sort().map((name) => ({ value: name, label: name })),
];

/** Partner, pipeline and path. Without the list of pipelines it still offers what is chosen. */
export function FilterBar({ filter, onChange }: Props) {
  const pipelines = useLoad(loadPipelines, []).data ?? [];
  return (
    <div class="runs-filter">
      <Select
        label="Partner"
        hideLabel
        value={filter.partner}
        options={options('All partners', pipelines.map((pipeline) => pipeline.partner), filter.partner)}
        onChange={(partner) => onChange({ partner })}
      />
      <Select
        label="Pipeline"
        hideLabel
        value={filter.pipeline}
        options={options('All pipelines', pipelines.map((pipeline) => pipeline.name), filter.pipeline)}
        onChange={(pipeline) => onChange({ pipeline })}
      />
      <Field
        label="Exact path of the file"
        hideLabel
        type="search"
        placeholder="Exact path, such as flights/2013-01.csv"
        value={filter.path}
        onChange={(event) => onChange({ path: event.currentTarget.value.trim() })}
      />
    </div>
  );
}
