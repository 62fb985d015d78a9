import { render } from 'preact';
import { lazy, Suspense } from 'preact/compat';
import { Redirect, Route, Router, Switch } from 'wouter-preact';

import { hasRole, REDIRECT_PATH, resume, session } from './auth/session';
import { Boundary } from './shell/Boundary';
import { Shell } from './shell/Shell';
import { SignIn } from './shell/SignIn';
import { SIGN_IN_FAILED, signInFailed } from './shell/signInFailure';
import { Empty, Page, Skeleton } from './ui';

const Dashboard = lazy(() => import('./dashboard'));
const Review = lazy(() => import('./review'));
const Runs = lazy(() => import('./runs'));
const Pipelines = lazy(() => import('./pipelines'));
const Partners = lazy(() => import('./partners'));

/** Where each role works most. */
function Home() {
  if (hasRole('Reviewer') && !hasRole('Operator')) return <Redirect to="/reviews" replace />;
  if (hasRole('Operator', 'Engineer', 'Auditor')) return <Redirect to="/dashboard" replace />;
  if (hasRole('Partner')) return <Redirect to="/uploads" replace />;
  return (
    <Page title="No access">
      <Empty icon="ban" title="You are signed in, but have no role here">
        Ask whoever runs Sluice to give {session.value?.name} one of the roles Partner, Reviewer, Operator, Engineer or Auditor, then sign in again.
      </Empty>
    </Page>
  );
}

function NotFound() {
  return (
    <Page title="No such page">
      <Empty icon="search" title="There is no such page">
        The address may be mistyped. Nothing was lost; go on from the navigation.
      </Empty>
    </Page>
  );
}

const STAFF = ['Reviewer', 'Operator', 'Engineer', 'Auditor'] as const;

function Routes() {
  const staff = hasRole(...STAFF);
  return (
    <Boundary>
      <Suspense fallback={<Skeleton lines={10} />}>
        <Switch>
          <Route path="/" component={Home} />
          {staff && <Route path="/dashboard/*?" component={Dashboard} />}
          {staff && <Route path="/reviews/*?" component={Review} />}
          {staff && <Route path="/pipelines/*?" component={Pipelines} />}
          {staff && <Route path="/runs/*?" component={Runs} />}
          {hasRole('Partner', 'Operator') && <Route path="/uploads/*?" component={Partners} />}
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </Boundary>
  );
}

function App() {
  if (!session.value) return <SignIn />;
  return (
    <Router>
      <Shell>
        <Routes />
      </Shell>
    </Router>
  );
}

/** Finishes a sign-in or takes up the session of this tab, then draws. */
export async function start(root: HTMLElement): Promise<void> {
  try {
    const returnTo = await resume();
    if (returnTo !== null) history.replaceState(null, '', returnTo);
  } catch (error) {
    // A code is good for one use: a reload of this address would fail again.
    if (location.pathname !== REDIRECT_PATH) throw error;
    signInFailed.value = error instanceof Error ? error.message : SIGN_IN_FAILED;
    history.replaceState(null, '', '/');
  }
  root.replaceChildren();
  render(<App />, root);
}
