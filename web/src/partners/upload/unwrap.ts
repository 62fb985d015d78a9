/**
 * Repaired NDJSON rows as the pipeline takes them. Sluice hands rejected rows out as `{"_row":…,"_problems":[…],"record":{…}}`; a person
 * repairs the record and sends the lines back as they are. The record's text is taken out unchanged: parsing it would change long numbers.
 */

const WRAPPED = /^\s*\{\s*"_row"\s*:\s*\d+\s*,\s*"_line"\s*:\s*\d+\s*,\s*"_problems"\s*:\s*\[.*?\]\s*,\s*"record"\s*:\s*(.*)\}\s*$/s;
/** Lines are joined to parts of about this size, so that a large file is no list of millions. */
const PART_CHARS = 1 << 20;

/** The record of a line; a line that is not wrapped stays as it is. */
export function record(line: string): string {
  const text = WRAPPED.exec(line)?.[1]?.trim();
  if (text === undefined) return line;
  // What was no JSON was handed out as a string.
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

/** The same file where it has no wrapped rows. */
export async function unwrapped(file: File): Promise<File> {
  const beginning = await file.slice(0, 1024).text();
  if (!/^\s*\{\s*"_row"\s*:/.test(beginning)) return file;
  const parts: string[] = [];
  let part = '';
  let rest = '';
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? '')).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    for (const line of lines) if (line.trim() !== '') part += `${record(line)}\n`;
    if (part.length > PART_CHARS || done) {
      parts.push(part);
      part = '';
    }
    if (done) return new File(parts, file.name, { type: file.type, lastModified: file.lastModified });
  }
}
