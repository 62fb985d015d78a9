import { render } from 'preact';

import { loadConfig } from './config';
import { applyTheme } from './ui/theme';

applyTheme();

const root = document.getElementById('app')!;

try {
  await loadConfig();
  const { start } = await import('./app');
  await start(root);
} catch (error) {
  render(
    <main class="fatal">
      <h1>Sluice cannot start</h1>
      <p>The site could not read its configuration or its sign-in service. Nothing was changed or lost.</p>
      <p>
        Check the connection, then <a href={location.pathname + location.search}>load the page again</a>. If it stays like this, tell
        whoever runs this site: <code>{error instanceof Error ? error.message : String(error)}</code>
      </p>
    </main>,
    root,
  );
}
