import type { Group, Topic } from './topics.ts';

/** One entry of a stream. `attempts` counts earlier deliveries that were not acknowledged. */
export interface Message {
  readonly id: string;
  readonly data: string;
  readonly attempts: number;
}

export interface ConsumeOptions {
  topic: Topic;
  group: Group;
  /** Unique among the living consumers of the group. */
  consumer: string;
  /** Most messages handed over at once. */
  batchSize: number;
  /** Deliveries of one message before it becomes a dead letter. */
  maxAttempts: number;
  /** Called with one batch at a time; resolving acknowledges all of it, throwing none. */
  handle: (messages: readonly Message[]) => Promise<void>;
  signal: AbortSignal;
}

export interface GroupLag {
  topic: Topic;
  group: Group;
  /** Entries not yet handed to the group, and handed over but not acknowledged. */
  lag: number;
  pending: number;
  /** Seconds that the oldest of both has waited. */
  oldestSeconds: number;
}

export interface DeadLetter {
  id: string;
  topic: Topic;
  group: Group;
  data: string;
  error: string;
  /** Wire timestamp. */
  died: string;
}

/**
 * Streams with consumer groups, over Redis or in memory. A message is handed to each group at least once, in batches;
 * handlers must be idempotent. Losing the connection is never an error for consumers: they reconnect for ever.
 */
export interface Broker extends AsyncDisposable {
  /**
   * Appends messages in order. Resolves when they are safe: Redis has answered, or, in memory, every group has
   * acknowledged them (memory dies with the process, so an acknowledged event must be in Postgres by then).
   * Rejects with BrokerUnavailableError when it cannot; nothing may then be taken for accepted.
   */
  publish(topic: Topic, messages: readonly string[]): Promise<void>;
  /** Consumes as a member of a group until the signal aborts; then finishes the batch in hand and resolves. */
  consume(options: ConsumeOptions): Promise<void>;
  /** Hands every new message from now on to `receive`, in order, in this process only, until the signal aborts. */
  tail(topic: Topic, receive: (data: string) => void, signal: AbortSignal): Promise<void>;
  /** Removes what every group has acknowledged; never an entry that some group still needs. */
  trim(topic: Topic): Promise<void>;
  lag(): Promise<GroupLag[]>;
  deadLetters(): Promise<DeadLetter[]>;
  /** True while messages can be published. */
  isReady(): boolean;
}

/** The streams cannot be reached: the gateway answers 503 with Retry-After. */
export class BrokerUnavailableError extends Error {
  override readonly name = 'BrokerUnavailableError';
}
