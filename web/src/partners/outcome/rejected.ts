/** Rejected rows as Sluice writes them: the partner's own format, with row, line and reasons. */

import { parseCsv } from './csv';

export interface RejectedReason {
  readonly code: string;
  readonly column: string | null;
  readonly message: string;
}

export interface RejectedRow {
  readonly row: number;
  readonly line: number;
  readonly reasons: readonly RejectedReason[];
  /** Field names and values, or one nameless text where the record could not be read as fields. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Rows of NDJSON: `{"_row":…,"_line":…,"_problems":[…],"record":…}`. */
export function ndjsonRows(text: string, cut: boolean): RejectedRow[] {
  const lines = text.split('\n').filter((line) => line !== '');
  if (cut) lines.pop();
  return lines.map((line) => {
    const { _row, _line, _problems, record } = JSON.parse(line) as {
      _row: number;
      _line: number;
      _problems: { code: string; column?: string | null; message: string }[];
      record: unknown;
    };
    const fields: [string, string][] =
      typeof record === 'object' && record !== null
        ? Object.entries(record).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
        : [['', String(record)]];
    return { row: _row, line: _line, reasons: _problems.map((p) => ({ code: p.code, column: p.column ?? null, message: p.message })), fields };
  });
}

const OWN = ['_row', '_line', '_problems'];

/** Rows of CSV: the record, then `_row`, `_line` and `_problems`. The delimiter is the text between these names. */
export function csvRows(text: string, cut: boolean): RejectedRow[] {
  const delimiter = /_row"?(.+?)"?_line/.exec(text)?.[1] ?? ',';
  const records = parseCsv(text, delimiter);
  if (cut) records.pop();
  const names = records.shift()?.slice(0, -OWN.length) ?? [];
  return records.map((record) => {
    const [row = '', line = '', problems = ''] = record.slice(-OWN.length);
    const values = record.slice(0, -OWN.length);
    const isWhole = values.length > 1 && values.slice(1).every((value) => value === '') && /^\d+$/.test(row) && problems.startsWith('R000');
    const fields: [string, string][] = isWhole ? [['', values[0] ?? '']] : names.map((name, at) => [name, values[at] ?? '']);
    return { row: Number(row), line: Number(line), reasons: reasonsOf(problems), fields };
  });
}

/** `R0206 tailnum: must …; R0205 tailnum: must …`. A message may hold a semicolon, so a reason begins at a code. */
function reasonsOf(problems: string): RejectedReason[] {
  return problems.split(/; (?=R\d{4}[ :])/).map((text) => {
    const found = /^(R\d{4})(?: ([^:]+))?: (.*)$/s.exec(text);
    return { code: found?.[1] ?? '', column: found?.[2] ?? null, message: found?.[3] ?? text };
  });
}
