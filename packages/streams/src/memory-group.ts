import type { GroupLag, Message } from './broker.ts';
import type { Subscription } from './consumer.ts';

/** The call of `publish` that a message came with. */
interface Publication {
  readonly published: number;
  acknowledge(): void;
}

/** What one group has still to do. */
export class GroupQueue {
  /** Every message that is not acknowledged, in order of publication. */
  readonly #open = new Map<string, Publication>();
  /** Those of them that nobody has in hand. */
  #waiting: Message[] = [];
  readonly #sleepers = new Set<() => void>();

  append(messages: readonly Message[], publication: Publication): void {
    for (const message of messages) {
      this.#open.set(message.id, publication);
      this.#waiting.push(message);
    }
    this.wake();
  }

  take(limit: number): Message[] {
    return this.#waiting.splice(0, limit);
  }

  giveBack(messages: Iterable<Message>): void {
    this.#waiting.unshift(...messages);
    this.wake();
  }

  acknowledge(id: string): void {
    this.#open.get(id)?.acknowledge();
    this.#open.delete(id);
  }

  wake(): void {
    for (const wake of this.#sleepers) wake();
  }

  /** Resolves when something waits or `wake` is called, at latest after `milliseconds`. */
  async sleep(milliseconds: number): Promise<void> {
    if (this.#waiting.length > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#sleepers.add(resolve);
    await promise;
    this.#sleepers.delete(resolve);
    clearTimeout(timer);
  }

  measure(): Pick<GroupLag, 'lag' | 'pending' | 'oldestSeconds'> {
    const [oldest] = this.#open.values();
    const lag = this.#waiting.length;
    return { lag, pending: this.#open.size - lag, oldestSeconds: oldest ? (Date.now() - oldest.published) / 1000 : 0 };
  }
}

/** A consumer of a group in memory. */
export class MemorySubscription implements Subscription {
  readonly #queue: GroupQueue;
  readonly #signal: AbortSignal;
  readonly #inHand = new Map<string, Message>();

  constructor(queue: GroupQueue, signal: AbortSignal) {
    this.#queue = queue;
    this.#signal = signal;
    signal.addEventListener('abort', () => queue.wake(), { once: true });
  }

  async read(limit: number, waitMs: number): Promise<Message[]> {
    if (!this.#signal.aborted) await this.#queue.sleep(waitMs);
    if (this.#signal.aborted) return [];
    const messages = this.#queue.take(limit);
    for (const message of messages) this.#inHand.set(message.id, message);
    return messages;
  }

  async acknowledge(messages: readonly Message[]): Promise<void> {
    for (const { id } of messages) {
      this.#inHand.delete(id);
      this.#queue.acknowledge(id);
    }
  }

  /** Nobody takes messages over within one process. */
  async keep(): Promise<void> {}

  async close(): Promise<void> {
    this.#queue.giveBack(this.#inHand.values());
  }
}
