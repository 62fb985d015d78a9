import { hasRole } from '../../auth/session';
import { Empty, ErrorPanel, Skeleton, useLoad } from '../../ui';
import { loadParameters } from '../api';
import { declared } from './declared';
import { History } from './History';
import { ParametersForm } from './ParametersForm';

interface Props {
  readonly name: string;
  /** YAML text of the live version: it declares what can be set. */
  readonly pipeline: string;
}

/** Values that an operator may change without a new version of the pipeline. */
export function ParametersPanel({ name, pipeline }: Props) {
  const specs = useLoad(() => declared(pipeline), [pipeline]);
  const history = useLoad(() => loadParameters(name), [name]);
  const error = specs.error ?? history.error;
  if (error) return <ErrorPanel error={error} title="The parameters cannot be loaded" onRetry={history.reload} />;
  if (!specs.data || !history.data) return <Skeleton label="Loading parameters" />;
  if (specs.data.length === 0) {
    return <Empty icon="edit" title="This pipeline declares no parameter">An engineer can declare some in the text of the pipeline, under “parameters”.</Empty>;
  }
  return (
    <div class="parameters">
      <ParametersForm
        key={history.data.version}
        name={name}
        specs={specs.data}
        history={history.data}
        mayEdit={hasRole('Engineer', 'Operator')}
        onStored={history.setData}
        onReload={history.reload}
      />
      <History history={history.data} />
    </div>
  );
}
