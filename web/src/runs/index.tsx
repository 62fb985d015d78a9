import { Route, Switch } from 'wouter-preact';

import { RunPage } from './detail/RunPage';
import { RunList } from './list/RunList';
import './runs.css';

export default function Runs() {
  return (
    <Switch>
      <Route path="/runs/:id">{({ id }) => <RunPage key={id} id={decodeURIComponent(id)} />}</Route>
      <Route>
        <RunList />
      </Route>
    </Switch>
  );
}
