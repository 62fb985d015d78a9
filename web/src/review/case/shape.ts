/** Longer shapes are cut: what differs after this is not seen as a difference. */
const LONGEST = 32;

/** The form of a value: digits become 9, letters a; what is left tells values apart that were written in different ways. */
export function shapeOf(value: string): string {
  const shape = value.slice(0, LONGEST).replace(/\p{Nd}/gu, '9').replace(/\p{L}/gu, 'a');
  return value.length > LONGEST ? `${shape}…` : shape;
}

/** A message without the numbers of its row: '1035 miles in 105 minutes' becomes 'n miles in n minutes'. */
export function messageShape(message: string): string {
  return message.replace(/"[^"]*"|'[^']*'/g, '"…"').replace(/[-+]?\d+(?:[.,:]\d+)*/g, 'n');
}
