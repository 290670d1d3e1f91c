/** How long a message stays for those who come late; at most so many of them, of so many characters together. */
const RECENT_MS = 10_000;
const RECENT_LIMIT = 2000;
const RECENT_CHARACTERS = 8_000_000;

/** A message of a stream: its JSON text, and what it says. */
export interface Item<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * The live messages of a stream for all connections of this process. The last seconds are kept, for a subscriber that
 * reads the past from the database: what is on its way there is neither stored yet nor live any more.
 */
export class LiveFeed<T> {
  readonly name: string;
  readonly #subscribers = new Set<(item: Item<T>) => void>();
  #recent: { text: string; at: number }[] = [];
  #characters = 0;

  constructor(name: string) {
    this.name = name;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  receive(text: string): void {
    this.#remember(text, performance.now());
    // Nobody listens most of the time.
    if (this.#subscribers.size === 0) return;
    const item = this.#read(text);
    if (item) for (const subscriber of this.#subscribers) subscriber(item);
  }

  /** Keeps up to twice of what is recent, so that forgetting costs little. */
  #remember(text: string, at: number): void {
    this.#recent.push({ text, at });
    this.#characters += text.length;
    const oldest = this.#recent[0]?.at ?? at;
    if (this.#recent.length <= 2 * RECENT_LIMIT && this.#characters <= 2 * RECENT_CHARACTERS && at - oldest <= 2 * RECENT_MS) return;
    let first = this.#recent.length;
    this.#characters = 0;
    for (const message of this.#recent.slice(-RECENT_LIMIT).toReversed()) {
      if (at - message.at > RECENT_MS || this.#characters + message.text.length > RECENT_CHARACTERS) break;
      this.#characters += message.text.length;
      first--;
    }
    this.#recent = this.#recent.slice(first);
  }

  /** Calls back with every message from now on, until disposed of. */
  subscribe(subscriber: (item: Item<T>) => void): Disposable {
    this.#subscribers.add(subscriber);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(subscriber) };
  }

  /** The messages of the last seconds, oldest first. */
  recent(): Item<T>[] {
    const since = performance.now() - RECENT_MS;
    return this.#recent.slice(-RECENT_LIMIT).flatMap(({ text, at }) => (at < since ? [] : (this.#read(text) ?? [])));
  }

  /** Messages were validated when they were accepted; checking each again would cost more than all the rest. */
  #read(text: string): Item<T> | undefined {
    try {
      const value: T = JSON.parse(text);
      return { text, value };
    } catch {
      // What is no JSON becomes a dead letter of those who need it.
      return undefined;
    }
  }
}
