import type { VerdictView } from '../../api/extra';

type Rows = Readonly<Record<string, VerdictView>>;

/** Verdicts with the rows that have them, as `3-7,9`: a browser keeps a few million characters, and a case can have 100,000 rows. */
export type Packed = readonly (readonly [VerdictView, string])[];

export function pack(rows: Rows): Packed {
  const byVerdict = new Map<string, { verdict: VerdictView; rows: number[] }>();
  for (const [row, verdict] of Object.entries(rows)) {
    const key = JSON.stringify(verdict);
    const entry = byVerdict.get(key);
    if (entry) entry.rows.push(Number(row));
    else byVerdict.set(key, { verdict, rows: [Number(row)] });
  }
  return [...byVerdict.values()].map((entry) => [entry.verdict, ranges(entry.rows)]);
}

/** Numbers in ascending order, as the keys of an object are. */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    const first = at;
    while (numbers[at + 1] === numbers[at]! + 1) at += 1;
    parts.push(first === at ? String(numbers[at]) : `${numbers[first]}-${numbers[at]}`);
    at += 1;
  }
  return parts.join();
}

export function unpack(packed: Packed): Rows {
  const rows: Record<string, VerdictView> = {};
  for (const [verdict, text] of packed) {
    for (const part of text.split(',')) {
      const [first, last = first] = part.split('-').map(Number);
      for (let row = first!; row <= last!; row += 1) rows[row] = verdict;
    }
  }
  return rows;
}
