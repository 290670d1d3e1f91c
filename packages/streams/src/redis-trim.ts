import type { Redis } from 'ioredis';
import { compareIds, createGroup, readGroups } from './redis-replies.ts';

/** Live tails may be this far behind the groups before they miss something. */
const TAIL_GRACE_MS = 10_000;
/** Nobody blocks for longer than seconds, so a consumer this idle is dead. */
const DEAD_CONSUMER_MS = 600_000;
/** A group that this release does not know belongs to a newer one, until nobody has read it for an hour. */
const DEAD_GROUP_MS = 3_600_000;

/** Removes consumers that hold nothing and have been idle for ARGV[2]; checked and done at once, since removing loses what is held. */
const RETIRE_CONSUMERS = `
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  if consumer[4] == 0 and consumer[6] >= tonumber(ARGV[2]) and (ARGV[3] == '' or ARGV[3] == consumer[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer[2])
  end
end`;

/** Takes a consumer out of its group, unless it still holds entries. */
export async function retireConsumer(redis: Redis, key: string, group: string, consumer: string): Promise<void> {
  await redis.eval(RETIRE_CONSUMERS, 1, key, group, 0, consumer);
}

/**
 * Removes what no group needs any more: everything before the oldest entry that some group has not acknowledged. Tails
 * keep what is younger than `graceMs`.
 */
export async function trimStream(redis: Redis, key: string, expected: readonly string[], graceMs = TAIL_GRACE_MS): Promise<void> {
  const groups = await readGroups(redis, key);
  if (groups.length === 0) return;
  const missing = expected.filter((name) => !groups.some((group) => group.name === name));
  // A group that is about to start needs everything.
  if (missing.length > 0) return void (await Promise.all(missing.map((name) => createGroup(redis, key, name))));
  const needed = [...groups.map((group) => group.oldestPending ?? group.lastDelivered), `${Date.now() - graceMs}-0`];
  const [oldest] = needed.toSorted(compareIds);
  if (oldest !== undefined) await redis.xtrim(key, 'MINID', '=', oldest);
}

/** Removes dead consumers, and groups of which nothing lives and that no longer exist in the code: they would keep the stream for ever. */
export async function retireConsumers(redis: Redis, key: string, expected: readonly string[]): Promise<void> {
  for (const { name } of await readGroups(redis, key)) {
    const consumers = (await redis.xinfo('CONSUMERS', key, name)) as (string | number)[][];
    const isDead = consumers.every((consumer) => Number(consumer[consumer.indexOf('idle') + 1]) > DEAD_GROUP_MS);
    if (!expected.includes(name) && consumers.length > 0 && isDead) await redis.xgroup('DESTROY', key, name);
    else await redis.eval(RETIRE_CONSUMERS, 1, key, name, DEAD_CONSUMER_MS, '');
  }
}
