import { Route, Switch } from 'wouter-preact';

import { CasePage } from './case/CasePage';
import { QueuePage } from './queue/QueuePage';
import './review.css';

export default function Review() {
  return (
    <Switch>
      <Route path="/reviews" component={QueuePage} />
      <Route path="/reviews/:caseId">{({ caseId }) => <CasePage key={caseId} caseId={caseId} />}</Route>
    </Switch>
  );
}
