/** Bytes a second over the last seconds: steady enough to read, quick enough to follow a change. */

const WINDOW_MS = 8_000;

export class Speed {
  #samples: { at: number; bytes: number }[] = [];

  /** Notes how many bytes were sent in all, and answers with bytes a second. */
  note(bytes: number, at: number): number {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    if (!first || at <= first.at) return 0;
    return ((bytes - first.bytes) * 1000) / (at - first.at);
  }

  reset(): void {
    this.#samples = [];
  }
}
