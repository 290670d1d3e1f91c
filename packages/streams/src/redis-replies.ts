import { type Redis, ReplyError } from 'ioredis';

/* The shapes in which Redis answers about streams (RESP2). */

export type EntryReply = [id: string, fields: string[] | null];

/** An id is `milliseconds-sequence`. */
export function toMilliseconds(id: string): number {
  return Number(id.split('-')[0]);
}

/** Orders ids; as text they would not be. */
export function compareIds(left: string, right: string): number {
  const sequence = (id: string) => Number(id.split('-')[1] ?? 0);
  return toMilliseconds(left) - toMilliseconds(right) || sequence(left) - sequence(right);
}

const isReply = (error: unknown, start: string): boolean => error instanceof Error && error.name === ReplyError.name && error.message.startsWith(start);

/** The group, or its whole stream, is not there (any more). */
export const isNoGroup = (error: unknown): boolean => isReply(error, 'NOGROUP');
const isNoKey = (error: unknown): boolean => isReply(error, 'ERR no such key');
const isBusyGroup = (error: unknown): boolean => isReply(error, 'BUSYGROUP');

/** Creates a group that will be given everything its stream holds, with the stream where need be; an existing one stays as it is. */
export async function createGroup(redis: Redis, key: string, group: string): Promise<void> {
  await redis.xgroup('CREATE', key, group, '0', 'MKSTREAM').catch((error: unknown) => {
    if (!isBusyGroup(error)) throw error;
  });
}

export interface GroupInfo {
  name: string;
  lastDelivered: string;
  pending: number;
  /** Id of the oldest entry that was delivered and not acknowledged. */
  oldestPending: string | undefined;
  /** Entries not delivered yet; null where Redis cannot tell. */
  lag: number | null;
}

/** The groups of a stream; none where there is no stream. */
export async function readGroups(redis: Redis, key: string): Promise<GroupInfo[]> {
  const replies = await redis.xinfo('GROUPS', key).catch((error: unknown) => {
    if (isNoKey(error)) return [];
    throw error;
  });
  const groups: GroupInfo[] = [];
  for (const reply of replies as (string | number | null)[][]) {
    const field = (name: string) => reply[reply.indexOf(name) + 1] ?? null;
    const name = String(field('name'));
    const pending = Number(field('pending'));
    // Read after the group's position: entries delivered in between are younger than that.
    const oldest = pending === 0 ? null : (await redis.xpending(key, name))[1];
    groups.push({
      name,
      pending,
      lastDelivered: String(field('last-delivered-id')),
      oldestPending: typeof oldest === 'string' ? oldest : undefined,
      lag: field('lag') === null ? null : Number(field('lag')),
    });
  }
  return groups;
}
