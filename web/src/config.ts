/** What the site needs to know of its surroundings; served beside it, so that one build fits every environment. */
export interface Config {
  /** Base address of the API, absolute or a path on this origin. */
  readonly api: string;
  /** OIDC issuer. */
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
}

let loaded: Config | undefined;

export async function loadConfig(): Promise<void> {
  const response = await fetch('/config.json', { cache: 'no-cache' });
  if (!response.ok) throw new Error(`/config.json answered ${response.status}`);
  const config = (await response.json()) as Partial<Config>;
  for (const name of ['api', 'issuer', 'clientId', 'scope'] as const) {
    if (typeof config[name] !== 'string' || config[name] === '') throw new Error(`/config.json lacks "${name}"`);
  }
  setConfig(config as Config);
}

export function setConfig(config: Config): void {
  loaded = config;
}

export function config(): Config {
  if (!loaded) throw new Error('loadConfig() comes first');
  return loaded;
}
