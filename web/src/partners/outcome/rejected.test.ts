import { describe, expect, it } from 'vitest';

import { csvRows, ndjsonRows } from './rejected';

describe('csvRows', () => {
  const text =
    'id;note;_row;_line;_problems\n' +
    '7;"two\nlines; and ""quotes""";3;5;"R0206 note: must match ^a;b$; R0401 late: it left at 7, but"\n' +
    '"8;x;extra";;4;7;"R0002: expected 2 fields, found 3"\n';

  it('finds the delimiter, values with line breaks, and every reason', () => {
    expect(csvRows(text, false)[0]).toEqual({
      row: 3,
      line: 5,
      fields: [
        ['id', '7'],
        ['note', 'two\nlines; and "quotes"'],
      ],
      reasons: [
        { code: 'R0206', column: 'note', message: 'must match ^a;b$' },
        { code: 'R0401', column: 'late', message: 'it left at 7, but' },
      ],
    });
  });
  it('shows a record that could not be read as fields as one text', () => {
    expect(csvRows(text, false)[1]?.fields).toEqual([['', '8;x;extra']]);
  });
  it('leaves out the last row of a text that was cut', () => {
    expect(csvRows(text, true)).toHaveLength(1);
  });
});

it('ndjsonRows reads records of any shape', () => {
  const problems = '[{"code":"R0201","column":"id","value":"","message":"a value is required"}]';
  const rows = ndjsonRows(
    `{"_row":0,"_line":1,"_problems":${problems},"record":{"id":null,"tags":["a"]}}\n{"_row":2,"_line":3,"_problems":${problems},"record":"{broken"}\n`,
    false,
  );
  expect(rows[0]?.fields).toEqual([
    ['id', 'null'],
    ['tags', '["a"]'],
  ]);
  expect(rows[1]?.fields).toEqual([['', '{broken']]);
  expect(rows[0]?.reasons).toEqual([{ code: 'R0201', column: 'id', message: 'a value is required' }]);
});
