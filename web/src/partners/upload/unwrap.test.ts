import { describe, expect, it } from 'vitest';

import { record, unwrapped } from './unwrap';

const problems = '[{"code":"R0201","message":"say ],\\"record\\": or not"}]';

describe('record', () => {
  it('is taken out as it is written', () => {
    expect(record(`{"_row":1,"_line":2,"_problems":${problems},"record":{"id": 12345678901234567890, "x":1.0}}`)).toBe(
      '{"id": 12345678901234567890, "x":1.0}',
    );
  });
  it('of a line that was no JSON is its text', () => {
    expect(record(`{"_row":1,"_line":2,"_problems":${problems},"record":"{\\"id\\": 7"}`)).toBe('{"id": 7');
  });
  it('leaves other lines alone', () => {
    expect(record('{"id":1,"record":2}')).toBe('{"id":1,"record":2}');
  });
});

describe('unwrapped', () => {
  it('takes every record out of a file and keeps name and time', async () => {
    const text = `{"_row":1,"_line":2,"_problems":${problems},"record":{"a":1}}\n{"_row":4,"_line":5,"_problems":[],"record":{"a":2}}`;
    const file = await unwrapped(new File([text], 'x.ndjson', { lastModified: 7 }));
    expect(await file.text()).toBe('{"a":1}\n{"a":2}\n');
    expect([file.name, file.lastModified]).toEqual(['x.ndjson', 7]);
  });
  it('leaves CSV and plain NDJSON alone', async () => {
    const file = new File(['{"a":1}\n'], 'x.ndjson');
    expect(await unwrapped(file)).toBe(file);
  });
});
