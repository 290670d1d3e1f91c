import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { backoff, pause } from './backoff.ts';
import type { BrokerCounters, Message } from './broker.ts';
import type { Subscription } from './consumer.ts';
import { waitUntilReady } from './redis-connection.ts';
import { type EntryReply, createGroup, isNoGroup } from './redis-replies.ts';
import { retireConsumer } from './redis-trim.ts';

export interface RedisSubscriptionOptions {
  /** A connection of its own: reads block it. */
  redis: Redis;
  key: string;
  group: string;
  claimAfterMs: number;
  counters: BrokerCounters;
  onError: (error: unknown) => void;
  signal: AbortSignal;
}

function toMessages(entries: readonly EntryReply[], attempts: (id: string) => number = () => 0): Message[] {
  return entries.flatMap(([id, fields]) => (fields ? [{ id, data: fields[1] ?? '', attempts: attempts(id) }] : []));
}

/** A consumer of a Redis consumer group. Its name is new each time, so what a dead one held is claimed like anybody else's. */
export class RedisSubscription implements Subscription {
  readonly #options: RedisSubscriptionOptions;
  readonly #name = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  /** Ids of what is done and the group does not know it yet. */
  readonly #done: string[] = [];
  #claimAt = 0;
  #failures = 0;

  constructor(options: RedisSubscriptionOptions) {
    this.#options = options;
  }

  async read(limit: number, waitMs: number): Promise<Message[]> {
    const { redis, key, group, onError, signal } = this.#options;
    if (!(await waitUntilReady(redis, waitMs, signal))) return [];
    try {
      const messages = await this.#readOnce(limit, waitMs);
      this.#failures = 0;
      return messages;
    } catch (error) {
      if (signal.aborted) return [];
      // Redis has lost its data, or this is the first start.
      if (isNoGroup(error)) await createGroup(redis, key, group).catch(onError);
      else onError(error);
      // The first failure is most often a missing group, which is there now.
      await pause(this.#failures++ === 0 ? 0 : backoff(this.#failures), signal);
      return [];
    }
  }

  async #readOnce(limit: number, waitMs: number): Promise<Message[]> {
    const { redis, key, group, claimAfterMs } = this.#options;
    if (Date.now() >= this.#claimAt) {
      // Or it might be taken over by ourselves.
      await this.#tellDone();
      const claimed = await this.#claim(limit);
      // There may be more where these came from.
      if (claimed.length < limit) this.#claimAt = Date.now() + claimAfterMs * (0.25 + Math.random() / 4);
      if (claimed.length > 0) return claimed;
    }
    const pipeline = redis.pipeline();
    if (this.#done.length > 0) pipeline.xack(key, group, ...this.#done);
    pipeline.xreadgroup('GROUP', group, this.#name, 'COUNT', limit, 'BLOCK', waitMs, 'STREAMS', key, '>');
    const replies = (await pipeline.exec()) ?? [];
    for (const [error] of replies) if (error) throw error;
    this.#done.length = 0;
    const streams = replies.at(-1)?.[1] as [key: string, entries: EntryReply[]][] | null | undefined;
    return toMessages(streams?.[0]?.[1] ?? []);
  }

  async #tellDone(): Promise<void> {
    const { redis, key, group } = this.#options;
    if (this.#done.length > 0) await redis.xack(key, group, ...this.#done);
    this.#done.length = 0;
  }

  /** Tells the group with the next read: one way to Redis less, and no way at all in vain while Redis is away. */
  async acknowledge(messages: readonly Message[]): Promise<void> {
    for (const { id } of messages) this.#done.push(id);
  }

  /** Takes over what other consumers, or this one on a connection that broke, have left lying. */
  async #claim(limit: number): Promise<Message[]> {
    const { redis, key, group, claimAfterMs, counters } = this.#options;
    const [, entries, deleted] = (await redis.xautoclaim(key, group, this.#name, claimAfterMs, '0', 'COUNT', limit)) as [string, EntryReply[], string[]?];
    counters.lost += deleted?.length ?? 0;
    if (entries.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const [id] of entries) pipeline.xpending(key, group, id, id, 1);
    const replies = (await pipeline.exec()) ?? [];
    const deliveries = new Map(replies.map(([, reply], index) => [entries[index]?.[0], Number((reply as number[][] | null)?.[0]?.[3] ?? 1)]));
    return toMessages(entries, (id) => (deliveries.get(id) ?? 1) - 1);
  }

  async keep(messages: readonly Message[]): Promise<void> {
    const { redis, key, group, onError } = this.#options;
    if (messages.length === 0 || redis.status !== 'ready') return;
    // JUSTID: a sign of life is no delivery.
    await redis.xclaim(key, group, this.#name, 0, ...messages.map((message) => message.id), 'JUSTID').catch(onError);
  }

  /** A consumer that holds nothing vanishes with its process; one that does is retired after its entries were claimed. */
  async close(): Promise<void> {
    const { redis, key, group } = this.#options;
    if (redis.status !== 'ready') return;
    await this.#tellDone().catch(() => {});
    await retireConsumer(redis, key, group, this.#name).catch(() => {});
  }
}
