import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connect, Plugin } from 'vite';

/** Where the stack is that the page talks to, when Vite serves it instead of `sluice up`. */
const api = process.env['SLUICE_API'] ?? 'http://127.0.0.1:7071';
const issuer = process.env['SLUICE_ISSUER'] ?? 'http://127.0.0.1:7072';
const blob = process.env['SLUICE_BLOB'] ?? 'http://127.0.0.1:7074';

const config = JSON.stringify({
  api: '/api',
  issuer,
  clientId: 'sluice-web',
  scope: 'openid profile offline_access api://sluice/.default',
});

const serveConfig: Connect.NextHandleFunction = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
  if (request.url !== '/config.json') return next();
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Cache-Control', 'no-cache');
  response.end(config);
};

/** The headers that the site has in production, so that `vite preview` runs under the same policy. */
const securityHeaders: Connect.NextHandleFunction = (_request, response: ServerResponse, next: () => void) => {
  const site = JSON.parse(readFileSync('public/staticwebapp.config.json', 'utf8')) as { globalHeaders: Record<string, string> };
  for (const [name, value] of Object.entries(site.globalHeaders)) {
    if (name === 'Strict-Transport-Security') continue;
    response.setHeader(name, value.replace('{api}', '').replace('{issuer}', issuer).replace('{blob}', blob));
  }
  next();
};

/** Serves /config.json and forwards /api, so that no CORS is needed while developing. */
export function stack(): Plugin {
  const proxy = { '/api': { target: api, changeOrigin: true } };
  return {
    name: 'sluice-stack',
    config: () => ({ server: { proxy }, preview: { proxy } }),
    configureServer: (server) => void server.middlewares.use(serveConfig),
    configurePreviewServer: (server) => {
      server.middlewares.use(securityHeaders);
      server.middlewares.use(serveConfig);
    },
  };
}
