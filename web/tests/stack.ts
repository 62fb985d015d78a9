/**
 * A real Sluice for the tests: `sluice up` with an empty state folder, which also serves the built site with its production headers.
 *
 * SLUICE_BIN and SLUICE_HANDLER name the executables (default: the debug build of this repository). With SLUICE_STACK, the state folder
 * of a stack that runs already, and SLUICE_SITE, the address of its site, that one is used.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';

import { connection, STATE_VARIABLE } from './connection';

const ROOT = resolve(import.meta.dirname, '../..');
/** The five ports from here on: host, issuer, Cosmos DB, blobs, site. */
export const PORT = Number(process.env['SLUICE_PORT'] ?? 7471);
const READY_MS = 120_000;

export default async function start(): Promise<() => Promise<void>> {
  const state = resolve(process.env[STATE_VARIABLE] ?? 'test-results/state');
  const running = process.env[STATE_VARIABLE] === undefined ? launch(state) : null;
  process.env[STATE_VARIABLE] = state;
  try {
    await ready(state, running);
    return () => stop(running);
  } catch (error) {
    await stop(running);
    throw error;
  }
}

function launch(state: string): ChildProcess {
  if (!existsSync('dist/index.html')) throw new Error('dist/ is not there: npm run build first');
  const sluice = process.env['SLUICE_BIN'] ?? resolve(ROOT, 'target/debug/sluice');
  if (!existsSync(sluice)) throw new Error(`${sluice} is not there: build it with cargo build, or name it in SLUICE_BIN`);
  // State of an earlier start must not decide what a test sees.
  rmSync(state, { recursive: true, force: true });
  mkdirSync(state, { recursive: true });
  const log = openSync(`${state}/up.log`, 'w');
  const handler = process.env['SLUICE_HANDLER'];
  const ports = ['--port', String(PORT), '--web-port', String(PORT + 4)];
  return spawn(sluice, ['up', '--app-root', ROOT, '--state-dir', state, ...ports, ...(handler ? ['--handler', handler] : [])], {
    stdio: ['ignore', log, log],
  });
}

async function ready(state: string, running: ChildProcess | null): Promise<void> {
  for (const end = Date.now() + READY_MS; Date.now() < end; ) {
    if (running && running.exitCode !== null) throw new Error(`sluice up ended: ${readFileSync(`${state}/up.log`, 'utf8').slice(-2000)}`);
    // The guide is the last thing that `sluice up` prints: pipelines and tables are there by then.
    if (!running || readFileSync(`${state}/up.log`, 'utf8').includes('Sluice is ready')) {
      if ((await fetch(`${connection().api}/health`)).ok) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`sluice up was not ready after ${READY_MS / 1000} s: see ${state}/up.log`);
}

async function stop(running: ChildProcess | null): Promise<void> {
  if (!running || running.exitCode !== null) return;
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill('SIGTERM');
  await ended;
}
