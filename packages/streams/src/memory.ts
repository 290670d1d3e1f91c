import { type Broker, type BrokerCounters, BrokerUnavailableError, type ConsumeOptions, type DeadLetter, type GroupLag, type Message } from './broker.ts';
import { runConsumer } from './consumer.ts';
import { GroupQueue, MemorySubscription } from './memory-group.ts';
import { ALL_TOPICS, type Group, type Topic, groupsOf } from './topics.ts';

export interface MemoryBrokerOptions {
  saveDeadLetter: (letter: DeadLetter) => Promise<void>;
  /** Messages that may be unacknowledged at once; further ones wait to be published, and are refused when that takes too long. */
  capacity?: number;
  patienceMs?: number;
}

/** The broker of a single process. It keeps nothing over a restart, so what it has not acknowledged was never accepted. */
export class MemoryBroker implements Broker {
  readonly counters: BrokerCounters = { reconnections: 0, deadLetters: 0, lost: 0 };
  readonly #options: MemoryBrokerOptions;
  readonly #queues = new Map<Topic, Map<Group, GroupQueue>>();
  readonly #tails = new Map<Topic, Set<(data: string) => void>>();
  /** How to end each call of `publish` that is in flight. */
  readonly #publishing = new Set<(error: unknown) => void>();
  #waitingForRoom: (() => void)[] = [];
  #load = 0;
  #sequence = 0;
  #isOpen = true;

  constructor(options: MemoryBrokerOptions) {
    this.#options = options;
    for (const topic of ALL_TOPICS) {
      this.#queues.set(topic, new Map(groupsOf(topic).map((group) => [group, new GroupQueue()])));
      this.#tails.set(topic, new Set());
    }
  }

  isReady(): boolean {
    return this.#isOpen;
  }

  async publish(topic: Topic, messages: readonly string[]): Promise<void> {
    await this.#admit(messages.length);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#publishing.add(reject);
    try {
      for (const receive of this.#tails.get(topic) ?? []) for (const data of messages) receive(data);
      const queues = [...(this.#queues.get(topic)?.values() ?? [])];
      let open = messages.length * queues.length;
      const entry = {
        published: Date.now(),
        acknowledge: () => {
          if (--open === 0) resolve();
        },
      };
      const numbered = messages.map((data): Message => ({ id: String(++this.#sequence), data, attempts: 0 }));
      for (const queue of queues) queue.append(numbered, entry);
      if (open > 0) await promise;
    } finally {
      this.#publishing.delete(reject);
      this.#load -= messages.length;
      for (const wake of this.#waitingForRoom.splice(0)) wake();
    }
  }

  /** Waits for room, first come, first served; an empty broker takes any number. */
  async #admit(count: number): Promise<void> {
    const { capacity = 10_000, patienceMs = 5000 } = this.#options;
    const isFull = () => this.#isOpen && this.#load > 0 && this.#load + count > capacity;
    for (const deadline = Date.now() + patienceMs; isFull(); ) {
      if (Date.now() >= deadline) throw new BrokerUnavailableError('the readers of the stream are too far behind');
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waitingForRoom.push(resolve);
      const timer = setTimeout(resolve, deadline - Date.now());
      await promise;
      clearTimeout(timer);
    }
    if (!this.#isOpen) throw new BrokerUnavailableError('the broker is closed');
    this.#load += count;
  }

  async consume(options: ConsumeOptions): Promise<void> {
    const queue = this.#queues.get(options.topic)?.get(options.group);
    if (queue === undefined) throw new Error(`no group ${options.group} reads ${options.topic}`);
    await runConsumer(new MemorySubscription(queue, options.signal), options, async (letter) => {
      await this.#options.saveDeadLetter(letter);
      this.counters.deadLetters++;
    });
  }

  async tail(topic: Topic, receive: (data: string) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tails.get(topic)?.add(receive);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#tails.get(topic)?.delete(receive);
  }

  /** Acknowledged messages are gone already. */
  async trim(): Promise<void> {}

  async lag(): Promise<GroupLag[]> {
    return [...this.#queues].flatMap(([topic, queues]) => [...queues].map(([group, queue]) => ({ topic, group, ...queue.measure() })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    for (const reject of this.#publishing) reject(new BrokerUnavailableError('the broker was closed'));
    for (const wake of this.#waitingForRoom.splice(0)) wake();
  }
}
