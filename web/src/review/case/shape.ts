/** Longer shapes are cut: what differs after this is not seen as a difference. */
const LONGEST = 32;

/** The form of a value: digits become 9, letters a; what is left tells values apart that were written in different ways. */
export function shapeOf(value: string): string {
  const shape = value.slice(0, LONGEST).replace(/\p{Nd}/gu, '9').replace(/\p{L}/gu, 'a');
  return value.length > LONGEST ? `${shape}…` : shape;
}

const NUMBER = /^[-+]?\d+(?:[.,:]\d+)*$/;

/** The form of a word of a message: how long a number is says nothing. */
const wordShape = (word: string): string => (NUMBER.test(word) ? 'n' : shapeOf(word));

const wordsOf = (message: string): string[] => message.split(' ');

/** Makes messages of one cause alike: words that differ between them hold values of the row, and only their form counts. */
export class MessageShapes {
  /** By cause and number of words: a word, or null where messages differ. */
  private readonly templates = new Map<string, (string | null)[]>();

  /** Whether messages that were added before have another form now. */
  add(cause: string, message: string): boolean {
    const words = wordsOf(message);
    const key = `${cause} ${words.length}`;
    const template = this.templates.get(key);
    if (!template) {
      this.templates.set(key, words);
      return false;
    }
    let changed = false;
    words.forEach((word, at) => {
      if (template[at] === null || template[at] === word) return;
      template[at] = null;
      changed = true;
    });
    return changed;
  }

  of(cause: string, message: string): string {
    const words = wordsOf(message);
    const template = this.templates.get(`${cause} ${words.length}`);
    return words.map((word, at) => (template?.[at] === null ? wordShape(word) : word)).join(' ');
  }
}
