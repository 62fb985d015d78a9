import { Route, Switch } from 'wouter-preact';

import { SubmissionPage } from './SubmissionPage';
import { UploadsPage } from './UploadsPage';
import './partners.css';

/** Pages of partners: upload, and what became of it. */
export default function Partners() {
  return (
    <Switch>
      <Route path="/uploads/:id">{({ id }) => <SubmissionPage id={id} />}</Route>
      <Route>
        <UploadsPage />
      </Route>
    </Switch>
  );
}
