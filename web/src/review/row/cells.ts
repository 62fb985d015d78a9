import type { Cell, HeldRow } from '../../api/extra';

/** One column of a row, from the file to the table. */
export interface CellView {
  readonly column: string;
  /** As it stands in the file; null where that is not known. */
  readonly raw: string | null;
  readonly parsed: Cell | undefined;
  readonly proposed: Cell | undefined;
  /** Made by a task: it is in no file. */
  readonly derived: boolean;
  /** Why this column is at fault. */
  readonly problems: readonly string[];
  /** A reason of the whole row tells its value: it is likely at fault. */
  readonly named: boolean;
}

const DELIMITERS = [',', ';', '\t', '|'];

/** The fields of one CSV record. */
export function splitRecord(record: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < record.length; at++) {
    const char = record[at]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (record[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === delimiter) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  fields.push(field);
  return fields;
}

export function showCell(value: Cell | undefined): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Whether a raw field can be what a typed value was read from. */
function fits(raw: string, parsed: Cell): boolean {
  if (parsed === null) return true;
  const text = showCell(parsed);
  return raw.trim() === text || (raw.trim() !== '' && Number(raw) === Number(text));
}

/** Raw fields by column: from JSON by name, from CSV by place where the values prove that place and column agree. */
export function rawFields(row: Pick<HeldRow, 'raw' | 'parsed'>): Readonly<Record<string, string>> {
  const raw = row.raw.replace(/\r?\n$/, '');
  if (raw.startsWith('{')) {
    try {
      const record = JSON.parse(raw) as Record<string, Cell>;
      return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, showCell(value)]));
    } catch {
      return {};
    }
  }
  const columns = Object.keys(row.parsed);
  for (const delimiter of DELIMITERS) {
    const fields = splitRecord(raw, delimiter);
    if (fields.length !== columns.length) continue;
    const agreeing = columns.filter((column, at) => fits(fields[at]!, row.parsed[column]!)).length;
    if (agreeing * 10 >= columns.length * 7) return Object.fromEntries(columns.map((column, at) => [column, fields[at]!]));
  }
  return {};
}

/** Shorter values are in many messages by chance. */
const SHORTEST_NAMED = 2;

/** The words of reasons that name no column. */
function wordsOf(row: HeldRow): ReadonlySet<string> {
  return new Set(row.problems.filter((problem) => !problem.column).flatMap((problem) => problem.message.split(/[\s,;:()"']+/)));
}

/** All columns of a row: the offending ones first, then those that a reason tells the value of. */
export function cellsOf(row: HeldRow, proposed: Readonly<Record<string, Cell>> = row.proposed): CellView[] {
  const raw = rawFields(row);
  const names = new Set([...Object.keys(row.parsed), ...Object.keys(raw), ...Object.keys(row.proposed), ...Object.keys(proposed)]);
  const words = wordsOf(row);
  const offending = (name: string) => row.problems.filter((problem) => problem.column === name);
  const cells = [...names].map((column) => {
    const problems = offending(column);
    return {
      column,
      raw: problems.find((problem) => problem.value !== undefined)?.value ?? raw[column] ?? null,
      parsed: row.parsed[column],
      proposed: proposed[column],
      derived: !(column in row.parsed) && !(column in raw),
      problems: problems.map((problem) => problem.message),
      named: [showCell(row.parsed[column]), showCell(row.proposed[column])].some((text) => text.length >= SHORTEST_NAMED && words.has(text)),
    };
  });
  const rank = (cell: CellView) => (cell.problems.length > 0 ? 0 : cell.named ? 1 : 2);
  return cells.sort((a, b) => rank(a) - rank(b));
}

/** What a person would type to get the value that is there. */
export const asTyped = (cell: CellView): string => cell.raw ?? showCell(cell.parsed);
