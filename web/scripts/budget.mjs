// Fails the build when the first load outgrows its budget.
import { readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET = 150 * 1024;

const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));
const entry = Object.values(manifest).find((chunk) => chunk.isEntry);
const size = (file) => gzipSync(readFileSync(`dist/${file}`)).length;

/** A chunk and everything it imports at once, each counted one time. */
function load(chunk, seen = new Set()) {
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const name of chunk.imports ?? []) load(manifest[name], seen);
  return seen;
}

// main.tsx imports the shell at once; a page family comes on top of it.
const shell = load(entry);
for (const name of entry.dynamicImports ?? []) load(manifest[name], shell);
const bytes = [...shell].reduce((sum, file) => sum + size(file), 0);
const pages = Object.values(manifest).filter((chunk) => chunk.isDynamicEntry && !shell.has(chunk.file));
const largest = pages
  .map((page) => ({ page, bytes: [...load(page)].filter((file) => !shell.has(file)).reduce((sum, file) => sum + size(file), 0) }))
  .sort((a, b) => b.bytes - a.bytes)[0];
const total = bytes + (largest?.bytes ?? 0);
console.log(`first load: shell ${bytes} B + ${largest?.page.src ?? 'no page'} ${largest?.bytes ?? 0} B = ${total} B of ${BUDGET} B (gzip)`);
rmSync('dist/.vite', { recursive: true }); // what the site does not need, it does not serve
if (total > BUDGET) process.exit(1);
