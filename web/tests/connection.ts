/** Where the stack of the tests is, and who may use it; as `sluice up` writes it. */

import { readFileSync } from 'node:fs';

export const STATE_VARIABLE = 'SLUICE_STACK';

export interface Connection {
  readonly api: string;
  readonly host: string;
  readonly blob: string;
  readonly issuer: string;
  readonly audience: string;
}

export interface Principal {
  readonly name: Name;
  readonly displayName: string;
  readonly oid: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export type Name = 'skyline' | 'northwind' | 'rita' | 'ravi' | 'olga' | 'emil' | 'ada';

function read<T>(file: string): T {
  return JSON.parse(readFileSync(`${process.env[STATE_VARIABLE]}/${file}`, 'utf8')) as T;
}

export const connection = (): Connection => read('connection.json');

export function principal(name: Name): Principal {
  const found = read<Principal[]>('principals.json').find((one) => one.name === name);
  if (!found) throw new Error(`there is no principal ${name}`);
  return found;
}
