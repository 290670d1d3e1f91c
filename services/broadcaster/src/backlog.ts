/** Messages that one connection may be behind; what comes then is dropped (facts/hidden-endpoints.md §6). */
const LIMIT = 256;

/** Messages for a connection that may be slower than they come. */
export class Backlog<T> {
  readonly #signal: AbortSignal;
  readonly #onDrop: () => void;
  readonly #waiting: T[] = [];
  #wake: () => void = () => {};

  constructor(signal: AbortSignal, onDrop: () => void) {
    this.#signal = signal;
    this.#onDrop = onDrop;
    signal.addEventListener('abort', () => this.#wake());
  }

  push(item: T): void {
    if (this.#waiting.length >= LIMIT) return this.#onDrop();
    this.#waiting.push(item);
    this.#wake();
  }

  /** What was pushed, in order, until the signal aborts. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (!this.#signal.aborted) {
      const item = this.#waiting.shift();
      if (item !== undefined) yield item;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
