/** What the codes of docs/ERRORS.md mean to the person whose file it is, and what that person can do. */

export interface Reason {
  readonly title: string;
  readonly fix: string;
}

/** The code of rows that a reviewer sent back. */
export const SENT_BACK = 'R0404';

const CORRECT = 'Correct the value in your source and send the row again.';

const REASONS: Readonly<Record<string, Reason>> = {
  R0001: { title: 'Too few fields', fix: 'Complete the record: it must have as many fields as the header.' },
  R0002: { title: 'Too many fields', fix: 'Put quotes around values that hold the delimiter.' },
  R0003: { title: 'A quote is not closed', fix: 'Close the quote, or double a quote that is part of the text.' },
  R0004: { title: 'Text after a closing quote', fix: 'Double the quotes inside a quoted value.' },
  R0005: { title: 'The row is too long', fix: 'Shorten it, or agree on a higher limit.' },
  R0006: { title: 'Not a JSON object', fix: 'Write one JSON object a line.' },
  R0007: { title: 'A key stands twice', fix: 'Keep one of the two.' },
  R0008: { title: 'An unknown key', fix: 'Remove the key, or agree on a new column.' },
  R0009: { title: 'Damaged characters', fix: 'Save the file as UTF-8.' },
  R0010: { title: 'A NUL character in the text', fix: 'Remove it.' },
  R0011: { title: 'The header stands in the middle', fix: 'Remove the repeated header; it often comes from joining files.' },
  R0101: { title: 'Not a whole number', fix: CORRECT },
  R0102: { title: 'The number is too large', fix: CORRECT },
  R0103: { title: 'Not a decimal number', fix: CORRECT },
  R0104: { title: 'Too many digits after the point', fix: 'Round it in your source.' },
  R0105: { title: 'Too many digits before the point', fix: CORRECT },
  R0106: { title: 'Not a number', fix: CORRECT },
  R0107: { title: 'Neither true nor false', fix: CORRECT },
  R0108: { title: 'Not a date', fix: CORRECT },
  R0109: { title: 'Not a point in time', fix: CORRECT },
  R0110: { title: 'Not a time of day', fix: CORRECT },
  R0111: { title: 'Not a JSON object or array', fix: CORRECT },
  R0112: { title: 'The wrong kind of JSON value', fix: 'Write text in quotes, numbers and true or false without.' },
  R0201: { title: 'A required value is missing', fix: 'Fill it in.' },
  R0202: { title: 'The value is too small', fix: CORRECT },
  R0203: { title: 'The value is too large', fix: CORRECT },
  R0204: { title: 'The text is too short', fix: CORRECT },
  R0205: { title: 'The text is too long', fix: CORRECT },
  R0206: { title: 'The text has the wrong form', fix: CORRECT },
  R0207: { title: 'The text has the wrong format', fix: CORRECT },
  R0208: { title: 'Not a multiple of what was agreed', fix: CORRECT },
  R0209: { title: 'Not one of the allowed values', fix: 'Use one of the values in the message.' },
  R0210: { title: 'The key is used by an earlier row', fix: 'Remove one of the two rows, or correct its key.' },
  R0211: { title: 'The value is used by an earlier row', fix: 'Correct one of the two rows.' },
  R0212: { title: 'A repeat of an earlier row', fix: 'Nothing: the first row is kept.' },
  R0301: { title: 'The value does not fit its column', fix: CORRECT },
  R0302: { title: 'A calculation has no result', fix: CORRECT },
  R0303: { title: 'Not in the reference list', fix: 'Correct the value. If it is right, ask for the list to be completed.' },
  R0401: { title: 'Against a business rule', fix: 'See the reason beside it.' },
  R0402: { title: 'Held for a person to look at', fix: 'Nothing: wait for the decision.' },
  R0403: { title: 'Rejected by a reviewer', fix: 'See the comment beside it.' },
  [SENT_BACK]: { title: 'Sent back to you', fix: 'Repair it as the reviewer says, and send it again.' },
};

/** The reason of a code; of one that is newer than this page, the code itself. */
export function reason(code: string): Reason {
  return REASONS[code] ?? { title: code, fix: 'See the message beside it.' };
}
