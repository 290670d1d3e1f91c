/** Every stream of the system and who reads it. A group gets each message once over all its replicas; tails get all of them. */
export const TOPICS = {
  /** Received events as JSON text (facts/events.md §1), from sockets, HTTP and the outbox. */
  events: { groups: ['event-persister', 'task-run-recorder', 'automations'] },
  /** Log rows as JSON text, for live tails only. */
  logs: { groups: [] },
} as const satisfies Record<string, { groups: readonly string[] }>;

export type Topic = keyof typeof TOPICS;
export type Group = (typeof TOPICS)[Topic]['groups'][number];

export function groupsOf(topic: Topic): readonly Group[] {
  return TOPICS[topic].groups;
}

export const ALL_TOPICS = Object.keys(TOPICS) as readonly Topic[];
