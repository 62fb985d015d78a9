export type ParameterType = 'integer' | 'number' | 'string' | 'boolean' | 'date';
export type Value = string | number | boolean;

export interface Declared {
  readonly name: string;
  readonly type: ParameterType;
  readonly default: Value;
  readonly description: string;
}

/** What the YAML text of a pipeline declares. The parser is loaded only where it is needed. */
export async function declared(pipeline: string): Promise<readonly Declared[]> {
  const { parse } = await import('yaml');
  const document = parse(pipeline) as { parameters?: Record<string, { type: ParameterType; default: Value; description?: string }> | null } | null;
  return Object.entries(document?.parameters ?? {}).map(([name, one]) => ({
    name,
    type: one.type,
    default: one.default,
    description: one.description ?? '',
  }));
}

export type Parsed = { readonly value: Value } | { readonly error: string };

/** What was typed, as a value of the type. */
export function parseValue(type: ParameterType, text: string): Parsed {
  const typed = text.trim();
  switch (type) {
    case 'integer':
      if (!/^[+-]?\d+$/.test(typed)) return { error: 'A whole number, such as 300' };
      // Beyond this a browser would silently send another number.
      return Number.isSafeInteger(Number(typed)) ? { value: Number(typed) } : { error: 'Too large to be set in a browser; use the API' };
    case 'number':
      return typed !== '' && Number.isFinite(Number(typed)) ? { value: Number(typed) } : { error: 'A number, such as 0.5' };
    case 'boolean':
      return typed === 'true' || typed === 'false' ? { value: typed === 'true' } : { error: 'true or false' };
    case 'date':
      return isDate(typed) ? { value: typed } : { error: 'A date, such as 2013-01-31' };
    case 'string':
      return { value: text };
  }
}

function isDate(text: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  return date !== null && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Values that differ between two versions of the parameters; a value that is not set is the default. */
export function changes(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly { readonly name: string; readonly from: string; readonly to: string }[] {
  const shown = (value: unknown) => (value === undefined ? 'default' : String(value));
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .map((name) => ({ name, from: shown(before[name]), to: shown(after[name]) }))
    .filter((change) => change.from !== change.to);
}
