import { Route, Switch } from 'wouter-preact';

import { PipelineList } from './PipelineList';
import { PipelinePage } from './PipelinePage';
import './pipelines.css';

export default function Pipelines() {
  return (
    <Switch>
      <Route path="/pipelines/:name/:panel?">
        {({ name, panel }) => <PipelinePage key={name} name={decodeURIComponent(name)} panel={panel ?? 'live'} />}
      </Route>
      <Route>
        <PipelineList />
      </Route>
    </Switch>
  );
}
