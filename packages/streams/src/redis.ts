import type { Redis } from 'ioredis';
import { backoff, pause } from './backoff.ts';
import { type Broker, type BrokerCounters, BrokerUnavailableError, type ConsumeOptions, type DeadLetter, type GroupLag } from './broker.ts';
import { runConsumer } from './consumer.ts';
import { connectRedis, waitUntilReady } from './redis-connection.ts';
import { type GroupInfo, readGroups, toMilliseconds } from './redis-replies.ts';
import { RedisSubscription } from './redis-subscription.ts';
import { retireConsumers, trimStream } from './redis-trim.ts';
import { splitBySize } from './split-by-size.ts';
import { ALL_TOPICS, type Group, type Topic, groupsOf } from './topics.ts';

export interface RedisBrokerOptions {
  /** `redis://…` or `rediss://…`. */
  url: string;
  /** Begins the name of every key. */
  keyPrefix: string;
  saveDeadLetter: (letter: DeadLetter) => Promise<void>;
  /** Hears of errors that the broker goes on after. */
  onError: (error: unknown) => void;
  /** Entries that a consumer has held this long without a sign of life go to another one. */
  claimAfterMs?: number;
  /** Longest stream; beyond it nothing is accepted until its slowest group catches up. Unlimited unless given. */
  maximumLength?: number;
}

const READ_COUNT = 500;
const BLOCK_MS = 1000;
/** Whoever needs the connection waits this long while it is just being made. */
const PATIENCE_MS = 1000;
/** A tail rests this long between reads, so that a busy stream is read in batches. */
const REST_MS = 150;
/** A full stream is looked at again this often. */
const LENGTH_CHECK_MS = 1000;
/** Redis holds a command as a whole while it is being sent, and does nothing else while it carries it out. */
const MAXIMUM_WRITE_CHARACTERS = 1_000_000;

/** Appends the messages ARGV[2…] in one command, which costs a client much less than one for each; gives the stream's length. */
const APPEND = `
for i = 2, #ARGV do
  if ARGV[1] == 'Infinity' then redis.call('XADD', KEYS[1], '*', 'data', ARGV[i])
  else redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'data', ARGV[i]) end
end
return redis.call('XLEN', KEYS[1])`;

/** Streams that no group reads only serve live tails; they keep about this many entries. */
const TAIL_LENGTH = 10_000;

/** The broker over Redis streams: one stream per topic, one connection for publishing and one per consumer or tail. */
export class RedisBroker implements Broker {
  readonly counters: BrokerCounters = { reconnections: 0, deadLetters: 0, lost: 0 };
  readonly #options: RedisBrokerOptions;
  readonly #redis: Redis;
  readonly #lengths = new Map<Topic, { length: number; checked: number }>();
  readonly #gathering = new Map<Topic, { messages: string[]; written: Promise<void> }>();
  readonly #writing = new Map<Topic, Promise<void>>();

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    this.#redis = this.#connect();
  }

  #connect(): Redis {
    const { url, onError } = this.#options;
    return connectRedis(url, onError, () => this.counters.reconnections++);
  }

  #key(topic: Topic): string {
    return `${this.#options.keyPrefix}:${topic}`;
  }

  isReady(): boolean {
    return this.#redis.status === 'ready';
  }

  async #requireConnection(): Promise<void> {
    if (!(await waitUntilReady(this.#redis, PATIENCE_MS))) throw new BrokerUnavailableError('Redis cannot be reached');
  }

  async publish(topic: Topic, messages: readonly string[]): Promise<void> {
    if (messages.length === 0) return;
    await this.#requireConnection();
    try {
      if (groupsOf(topic).length > 0) await this.#checkLength(topic);
      await this.#append(topic, messages);
    } catch (error) {
      if (error instanceof BrokerUnavailableError) throw error;
      throw new BrokerUnavailableError(`cannot publish to ${this.#key(topic)}`, { cause: error });
    }
  }

  /** Messages that come while others are on their way share the next write, in their order, and its fate. */
  #append(topic: Topic, messages: readonly string[]): Promise<void> {
    const gathering = this.#gathering.get(topic);
    if (gathering) {
      for (const message of messages) gathering.messages.push(message);
      return gathering.written;
    }
    const batch = [...messages];
    const before = this.#writing.get(topic)?.catch(() => {}) ?? Promise.resolve();
    const written = before.then(() => {
      this.#gathering.delete(topic);
      this.#writing.set(topic, written);
      return this.#write(topic, batch);
    });
    this.#gathering.set(topic, { messages: batch, written });
    return written;
  }

  async #write(topic: Topic, messages: readonly string[]): Promise<void> {
    const key = this.#key(topic);
    const limit = groupsOf(topic).length === 0 ? TAIL_LENGTH : Infinity;
    for (const part of splitBySize(messages, MAXIMUM_WRITE_CHARACTERS)) {
      const length = Number(await this.#redis.eval(APPEND, 1, key, limit, ...part));
      this.#lengths.set(topic, { length, checked: Date.now() });
    }
  }

  /** Redis must not die of a group that has stopped: a stream at its limit takes nothing more. */
  async #checkLength(topic: Topic): Promise<void> {
    const { maximumLength: limit = Infinity } = this.#options;
    const known = this.#lengths.get(topic);
    if (known === undefined || known.length < limit) return;
    if (Date.now() - known.checked >= LENGTH_CHECK_MS) {
      // Noted before, so that of all who wait only this one looks.
      known.checked = Date.now();
      // What is read but not trimmed yet is no backlog; under such load the tails miss something rather than the senders.
      await trimStream(this.#redis, this.#key(topic), groupsOf(topic), 0);
      this.#lengths.set(topic, { length: await this.#redis.xlen(this.#key(topic)), checked: Date.now() });
    }
    if ((this.#lengths.get(topic)?.length ?? 0) >= limit) throw new BrokerUnavailableError(`the stream ${topic} is full`);
  }

  async consume(options: ConsumeOptions): Promise<void> {
    const { topic, group, signal } = options;
    const redis = this.#connect();
    const { claimAfterMs = 10_000, onError } = this.#options;
    const subscription = new RedisSubscription({ redis, key: this.#key(topic), group, claimAfterMs, counters: this.counters, onError, signal });
    try {
      await runConsumer(subscription, options, async (letter) => {
        await this.#options.saveDeadLetter(letter);
        this.counters.deadLetters++;
      });
    } finally {
      redis.disconnect();
    }
  }

  async tail(topic: Topic, receive: (data: string) => void, signal: AbortSignal): Promise<void> {
    const redis = this.#connect();
    const key = this.#key(topic);
    const stop = () => redis.disconnect();
    signal.addEventListener('abort', stop);
    // `$` would skip what is published between two reads, so the position is a real id from the start.
    let position: string | undefined;
    for (let failures = 0; !signal.aborted; ) {
      if (!(await waitUntilReady(redis, BLOCK_MS, signal))) continue;
      try {
        position ??= (await redis.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0';
        const reply = await redis.xread('COUNT', READ_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', key, position);
        failures = 0;
        for (const [id, fields] of reply?.[0]?.[1] ?? []) {
          position = id;
          if (fields) receive(fields[1] ?? '');
        }
        if (reply) await pause(REST_MS, signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.onError(error);
        await pause(backoff(failures++), signal);
      }
    }
    signal.removeEventListener('abort', stop);
    redis.disconnect();
  }

  async trim(topic: Topic): Promise<void> {
    const key = this.#key(topic);
    await this.#requireConnection();
    await trimStream(this.#redis, key, groupsOf(topic));
    await retireConsumers(this.#redis, key, groupsOf(topic));
  }

  async lag(): Promise<GroupLag[]> {
    await this.#requireConnection();
    const lags: GroupLag[] = [];
    for (const topic of ALL_TOPICS) {
      if (groupsOf(topic).length === 0) continue;
      const found = await readGroups(this.#redis, this.#key(topic));
      for (const group of groupsOf(topic)) lags.push(await this.#lagOf(topic, group, found.find(({ name }) => name === group)));
    }
    return lags;
  }

  async #lagOf(topic: Topic, group: Group, found: GroupInfo | undefined): Promise<GroupLag> {
    const key = this.#key(topic);
    const start = found === undefined ? '-' : `(${found.lastDelivered}`;
    const [firstUnread] = await this.#redis.xrange(key, start, '+', 'COUNT', 1);
    const ids = [firstUnread?.[0], found?.oldestPending].filter((id) => id !== undefined);
    const oldest = Math.min(...ids.map(toMilliseconds));
    return {
      topic,
      group,
      // Redis knows the lag unless entries were deleted by hand; then the length is the most it can be.
      lag: found?.lag ?? (await this.#redis.xlen(key)),
      pending: found?.pending ?? 0,
      oldestSeconds: ids.length === 0 ? 0 : Math.max(0, (Date.now() - oldest) / 1000),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
  }
}

