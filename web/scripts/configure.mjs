// Tells a built site where it is: writes dist/config.json and fills the addresses into the security policy.
//   node scripts/configure.mjs --api https://<app>.azurewebsites.net/api \
//     --issuer https://login.microsoftonline.com/<tenant>/v2.0 --client-id <id> --audience api://sluice \
//     --blob https://<account>.blob.core.windows.net
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const NAMES = ['api', 'issuer', 'client-id', 'audience', 'blob'];
const { values } = parseArgs({ options: Object.fromEntries(NAMES.map((name) => [name, { type: 'string' }])) });
const missing = NAMES.filter((name) => !values[name]);
if (missing.length > 0) {
  console.error(`expected ${missing.map((name) => `--${name}`).join(', ')}`);
  process.exit(2);
}

const site = {
  api: values.api,
  issuer: values.issuer,
  clientId: values['client-id'],
  scope: `openid profile offline_access ${values.audience}/.default`,
};
writeFileSync('dist/config.json', JSON.stringify(site, null, 2) + '\n');

// A source of a policy is an origin: with a path it would match that path alone.
const file = 'dist/staticwebapp.config.json';
const rules = readFileSync('public/staticwebapp.config.json', 'utf8')
  .replaceAll('{api}', new URL(values.api).origin)
  .replaceAll('{issuer}', new URL(values.issuer).origin)
  .replaceAll('{blob}', new URL(values.blob).origin);
writeFileSync(file, rules);
console.log(`dist/config.json and ${file} are for ${values.api}`);
