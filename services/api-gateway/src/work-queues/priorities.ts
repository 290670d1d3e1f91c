/** A queue and its place in the order in which a pool serves its queues: 1 comes first, each number is taken once. */
export interface Ranked {
  id: string;
  priority: number;
}

/** The lowest number that no queue has. */
export function findFreePriority(queues: readonly Ranked[]): number {
  const taken = new Set(queues.map((queue) => queue.priority));
  let priority = 1;
  while (taken.has(priority)) priority += 1;
  return priority;
}

/** The queues which must move up so that `placed` can have its number, with their new numbers; as few as possible. */
export function makeRoom(queues: readonly Ranked[], placed: Ranked): Ranked[] {
  const moved: Ranked[] = [];
  let taken = placed.priority;
  const behind = queues.filter((queue) => queue.id !== placed.id && queue.priority >= placed.priority);
  for (const queue of behind.toSorted((one, other) => one.priority - other.priority)) {
    if (queue.priority > taken) break;
    taken += 1;
    moved.push({ id: queue.id, priority: taken });
  }
  return moved;
}
