/**
 * A real Sluice for the tests: `sluice up` with an empty state folder, and the built site under its production headers.
 *
 * SLUICE_BIN and SLUICE_HANDLER name the executables (default: the debug build of this repository). With SLUICE_STACK, the state folder
 * of a stack that runs already, that one is used; with SLUICE_SITE too, so is the site at that address.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { preview } from 'vite';

import { allowOrigin } from './azurite';
import { connection, type Connection, STATE_VARIABLE } from './connection';

const ROOT = resolve(import.meta.dirname, '../..');
const PORT = Number(process.env['SLUICE_PORT'] ?? 7471);
const READY_MS = 120_000;

export default async function start(): Promise<() => Promise<void>> {
  const state = resolve(process.env[STATE_VARIABLE] ?? 'test-results/state');
  const running = process.env[STATE_VARIABLE] === undefined ? launch(state) : null;
  process.env[STATE_VARIABLE] = state;
  try {
    const stack = await ready(state, running);
    const closeSite = process.env['SLUICE_SITE'] === undefined ? await serve(stack) : null;
    return async () => {
      await closeSite?.();
      await stop(running);
    };
  } catch (error) {
    await stop(running);
    throw error;
  }
}

function launch(state: string): ChildProcess {
  const sluice = process.env['SLUICE_BIN'] ?? resolve(ROOT, 'target/debug/sluice');
  if (!existsSync(sluice)) throw new Error(`${sluice} is not there: build it with cargo build, or name it in SLUICE_BIN`);
  // State of an earlier start must not decide what a test sees.
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  const log = openSync(`${state}/up.log`, 'w');
  const handler = process.env['SLUICE_HANDLER'];
  return spawn(
    sluice,
    ['up', '--app-root', ROOT, '--state-dir', state, '--port', String(PORT), ...(handler ? ['--handler', handler] : [])],
    { stdio: ['ignore', log, log] },
  );
}

async function ready(state: string, running: ChildProcess | null): Promise<Connection> {
  for (const end = Date.now() + READY_MS; Date.now() < end; ) {
    if (running && running.exitCode !== null) throw new Error(`sluice up ended: ${readFileSync(`${state}/up.log`, 'utf8').slice(-2000)}`);
    // The guide is the last thing that `sluice up` prints: pipelines and tables are there by then.
    if (!running || readFileSync(`${state}/up.log`, 'utf8').includes('Sluice is ready')) {
      const stack = connection();
      if ((await fetch(`${stack.api}/health`)).ok) return stack;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`sluice up was not ready after ${READY_MS / 1000} s: see ${state}/up.log`);
}

/** The built site, as Static Web Apps would serve it. */
async function serve(stack: Connection): Promise<() => Promise<void>> {
  process.env['SLUICE_API'] = new URL(stack.host).origin;
  process.env['SLUICE_ISSUER'] = stack.issuer;
  process.env['SLUICE_BLOB'] = new URL(stack.blob).origin;
  if (!existsSync('dist/index.html')) throw new Error('dist/ is not there: npm run build first');
  const site = await preview({ preview: { port: 4291, strictPort: true, host: 'localhost' }, logLevel: 'warn' });
  await allowOrigin(stack.blob, 'http://localhost:4291');
  return () => site.close();
}

async function stop(running: ChildProcess | null): Promise<void> {
  if (!running || running.exitCode !== null) return;
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill('SIGTERM');
  await ended;
}
