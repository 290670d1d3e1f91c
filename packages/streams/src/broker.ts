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
  /** Most messages handed over at once. */
  batchSize: number;
  /** Failed deliveries of one message before it becomes a dead letter. */
  maxAttempts: number;
  /**
   * Called with one batch at a time; resolving acknowledges all of it. Where it throws, the batch is halved until the
   * messages at fault are alone; a handler that knows them throws MessagesFailedError instead.
   */
  handle: (messages: readonly Message[]) => Promise<void>;
  /** True for an error that is not the messages' fault (the database is away): the batch waits for as long as it takes, uncounted. */
  isOutage: (error: unknown) => boolean;
  /** Called whenever the loop turns, also while it waits: a consumer that stops calling it is stuck. */
  onProgress?: () => void;
  signal: AbortSignal;
}

/** Some messages of a batch failed, and all others are done. */
export class MessagesFailedError extends Error {
  override readonly name = 'MessagesFailedError';
  readonly failures: ReadonlyMap<Message, unknown>;
  constructor(failures: ReadonlyMap<Message, unknown>) {
    super(`${failures.size} messages failed`);
    this.failures = failures;
  }
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

/** A message that was given up. */
export interface DeadLetter {
  readonly topic: Topic;
  readonly group: Group;
  /** The message's JSON text. */
  readonly data: string;
  readonly error: string;
  readonly attempts: number;
}

/** What happened since the process started. */
export interface BrokerCounters {
  reconnections: number;
  deadLetters: number;
  /** Entries that were gone from their stream before their group had acknowledged them; never happens unless Redis evicts. */
  lost: number;
}

/**
 * Streams with consumer groups, over Redis or in memory. A message is handed to each group at least once, in batches;
 * handlers must be idempotent. Losing the connection is never an error for consumers: they reconnect for ever.
 */
export interface Broker extends AsyncDisposable {
  readonly counters: Readonly<BrokerCounters>;
  /**
   * Appends messages in order. Resolves when they are safe: Redis has answered, or, in memory, every group has
   * acknowledged them (memory dies with the process, so an acknowledged event must be in Postgres by then).
   * Rejects with BrokerUnavailableError when it cannot; nothing may then be taken for accepted.
   */
  publish(topic: Topic, messages: readonly string[]): Promise<void>;
  /** Consumes as a member of a group until the signal aborts; then finishes the batch in hand and resolves. */
  consume(options: ConsumeOptions): Promise<void>;
  /**
   * Hands every new message from now on to `receive`, in order, in this process only, until the signal aborts. What was
   * published while the connection was lost comes late, or not at all where it has been trimmed meanwhile.
   */
  tail(topic: Topic, receive: (data: string) => void, signal: AbortSignal): Promise<void>;
  /** Removes what every group has acknowledged; never an entry that some group still needs. Retires dead consumers. Rejects with BrokerUnavailableError. */
  trim(topic: Topic): Promise<void>;
  /** How far each group is behind. Rejects with BrokerUnavailableError. */
  lag(): Promise<GroupLag[]>;
  /** True while messages can be published. */
  isReady(): boolean;
}

/** The streams cannot be reached, or are full: the gateway answers 503 with Retry-After. */
export class BrokerUnavailableError extends Error {
  override readonly name = 'BrokerUnavailableError';
}
