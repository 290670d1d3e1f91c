import { setImmediate as nextTurn } from 'node:timers/promises';
import { backoff, pause } from '@praetor/streams/backoff';
import { type Broker, BrokerUnavailableError } from '@praetor/streams/broker';

/** Events that one connection may have on their way to the stream, and their characters together. */
const LIMIT = 2000;
const LIMIT_CHARACTERS = 8_000_000;
const BATCH_SIZE = 500;

/** An event on its way, or what is to happen when all before it are safe. */
type Item = { event: string } | { checkpoint: () => void };

export interface IntakeOptions {
  broker: Broker;
  /** Ends the wait for a broker that is away; what was not published then was never confirmed. */
  stopping: AbortSignal;
  /** Whether the client was cut off: it will come back and send again all that was not confirmed. */
  isCutOff: () => boolean;
  /** The events of a client that was cut off are given up when the broker has been away for this long. */
  patienceSeconds: number;
}

/**
 * Publishes the events of one connection in order, and tells when they are safe. An absent broker is waited for, but not
 * without end for a client that was cut off: each time that it comes back it sends another copy.
 */
export class EventIntake {
  readonly #options: IntakeOptions;
  #characters = 0;
  #queue: Item[] = [];
  #publishing: Promise<void> | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes an event in; resolves when there is room for the next one. Throws where earlier ones could not be published. */
  async accept(event: string): Promise<void> {
    this.#characters += event.length;
    this.#enqueue({ event });
    if (this.#queue.length >= LIMIT || this.#characters >= LIMIT_CHARACTERS) await this.#publishing;
  }

  /** Calls back once every event taken in before is safe. */
  checkpoint(confirm: () => void): void {
    this.#enqueue({ checkpoint: confirm });
  }

  /** Resolves when nothing is on its way any more; throws where something could not be published. */
  async drain(): Promise<void> {
    while (this.#publishing) await this.#publishing;
  }

  #enqueue(item: Item): void {
    this.#queue.push(item);
    if (this.#publishing) return;
    // A failure stays: nothing may be confirmed after something was lost.
    this.#publishing = this.#publishAll();
    // `accept` and `drain` tell of it; here it must only not be unhandled.
    this.#publishing.catch(() => {});
  }

  async #publishAll(): Promise<void> {
    while (this.#queue.length > 0) {
      // What was read in this turn of the event loop goes out together.
      if (this.#queue.length < BATCH_SIZE) await nextTurn();
      const items = this.#queue.splice(0, BATCH_SIZE);
      const events = items.flatMap((item) => ('event' in item ? item.event : []));
      if (events.length > 0) await this.#publish(events);
      for (const event of events) this.#characters -= event.length;
      for (const item of items) if ('checkpoint' in item) item.checkpoint();
    }
    this.#publishing = undefined;
  }

  async #publish(events: readonly string[]): Promise<void> {
    const { broker, stopping, isCutOff, patienceSeconds } = this.#options;
    const start = performance.now();
    for (let failures = 0; ; failures++)
      try {
        return await broker.publish('events', events);
      } catch (error) {
        const isInVain = isCutOff() && performance.now() - start > patienceSeconds * 1000;
        if (!(error instanceof BrokerUnavailableError) || stopping.aborted || isInVain) throw error;
        await pause(backoff(failures), stopping);
      }
  }
}
