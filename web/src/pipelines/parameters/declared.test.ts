import { describe, expect, it } from 'vitest';

import { changes, declared, parseValue } from './declared';

describe('declared', () => {
  it('reads both styles of YAML', async () => {
    const text = 'parameters:\n  late: { type: integer, default: 300, description: later is held }\n  from:\n    type: date\n    default: 2013-01-31\n';
    expect(await declared(text)).toEqual([
      { name: 'late', type: 'integer', default: 300, description: 'later is held' },
      { name: 'from', type: 'date', default: '2013-01-31', description: '' },
    ]);
  });

  it('finds none where there are none', async () => {
    expect(await declared('name: x\n')).toEqual([]);
  });
});

describe('parseValue', () => {
  it('takes what the type allows', () => {
    expect(parseValue('integer', ' -7 ')).toEqual({ value: -7 });
    expect(parseValue('number', '1e3')).toEqual({ value: 1000 });
    expect(parseValue('date', '2024-02-29')).toEqual({ value: '2024-02-29' });
    expect(parseValue('boolean', 'false')).toEqual({ value: false });
    expect(parseValue('string', ' a ')).toEqual({ value: ' a ' });
  });

  it.each([['integer', '1.5'], ['integer', '9007199254740993'], ['number', ''], ['date', '2023-02-29'], ['boolean', 'yes']] as const)(
    'refuses %s %s',
    (type, text) => expect(parseValue(type, text)).toHaveProperty('error'),
  );
});

describe('changes', () => {
  it('names what was set, changed and set back', () => {
    expect(changes({ a: 1, b: 2 }, { b: 3, c: true })).toEqual([
      { name: 'a', from: '1', to: 'default' },
      { name: 'b', from: '2', to: '3' },
      { name: 'c', from: 'default', to: 'true' },
    ]);
  });
});
