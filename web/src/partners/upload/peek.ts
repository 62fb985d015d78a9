/** A look at the beginning of a file before gigabytes of it are sent: a wrong file is seen at once. The contract is checked by Sluice. */

const PEEK_BYTES = 64 * 1024;
const LINES = 4;
const LINE_CHARS = 200;

export interface Peek {
  /** The first lines; none of a compressed or binary file. */
  readonly lines: readonly string[];
  /** Why the file cannot be right whatever was agreed; null if nothing speaks against it. */
  readonly warning: string | null;
}

/** File signatures of what people send by mistake. */
const WRONG: readonly (readonly [readonly number[], string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'This is a ZIP archive or an Excel workbook. Sluice takes CSV, NDJSON or Parquet: export the sheet as CSV, or unpack the archive.'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'This is an old Excel or Word file. Export the sheet as CSV.'],
  [[0x25, 0x50, 0x44, 0x46], 'This is a PDF document, not a data file.'],
];

/** Formats whose content is no text to look at. */
const BINARY: readonly (readonly number[])[] = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x50, 0x41, 0x52, 0x31],
];

export async function peek(file: File): Promise<Peek> {
  const bytes = new Uint8Array(await file.slice(0, PEEK_BYTES).arrayBuffer());
  const begins = (signature: readonly number[]) => signature.every((byte, at) => bytes[at] === byte);
  const wrong = WRONG.find(([signature]) => begins(signature));
  if (wrong) return { lines: [], warning: wrong[1] };
  if (BINARY.some(begins)) return { lines: [], warning: null };
  const encoding = begins([0xff, 0xfe]) ? 'utf-16le' : begins([0xfe, 0xff]) ? 'utf-16be' : 'utf-8';
  const text = new TextDecoder(encoding).decode(bytes);
  const isPage = /^\s*<(!doctype html|html)/i.test(text);
  return {
    lines: text.split(/\r?\n/, LINES).map((line) => (line.length > LINE_CHARS ? `${line.slice(0, LINE_CHARS)}…` : line)),
    warning: isPage ? 'This is a web page, not a data file: a download that asked for a sign-in often looks like that.' : null,
  };
}
