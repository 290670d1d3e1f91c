import { toMicroseconds } from '@praetor/schema/timestamps';
import type { TaskRunColumns, TaskRunEvent } from './task-run-event.ts';

/** What a batch of events says about one task run. */
export interface FoldedRun {
  /** Every id that clients used for the run; the first is that of its oldest event. */
  ids: [string, ...string[]];
  flowRunId: string | null;
  /** The columns that some event sent, each as the newest of them did. */
  columns: TaskRunColumns;
  /** The newest state. */
  state: TaskRunEvent['state'];
  /** All events, oldest first. */
  events: TaskRunEvent[];
}

/** Two events with one of these in common are about the same run: a task that a flow run retries gets a new id (facts/events.md §4). */
function keysOf({ taskRunId, flowRunId, columns }: TaskRunEvent): string[] {
  const id = `id ${taskRunId}`;
  return flowRunId === null ? [id] : [id, `key ${flowRunId} ${columns.task_key} ${columns.dynamic_key}`];
}

/** Oldest first. Of two at the same moment the one with the smaller id counts as the newer, as the one stored first does. */
function byTime(left: TaskRunEvent, right: TaskRunEvent): number {
  return toMicroseconds(left.state.timestamp) - toMicroseconds(right.state.timestamp) || (left.state.id < right.state.id ? 1 : -1);
}

function groupByRun(events: readonly TaskRunEvent[]): Set<TaskRunEvent[]> {
  const groups = new Map<string, TaskRunEvent[]>();
  for (const event of events) {
    const keys = keysOf(event);
    const found = new Set(keys.flatMap((key) => groups.get(key) ?? []));
    const group = [...found, event];
    for (const member of group) for (const key of keysOf(member)) groups.set(key, group);
  }
  return new Set(groups.values());
}

/** Folds the events of a batch into one row per run, as if they had been recorded one after the other in the order of time. */
export function foldEvents(events: readonly TaskRunEvent[]): FoldedRun[] {
  return [...groupByRun(events)].flatMap((group) => {
    const sorted = group.toSorted(byTime);
    const [oldest, newest] = [sorted[0], sorted.at(-1)];
    if (!oldest || !newest) return [];
    const ids = [...new Set(sorted.map((event) => event.taskRunId))];
    return {
      ids: [oldest.taskRunId, ...ids.slice(1)],
      flowRunId: newest.flowRunId,
      columns: Object.assign({}, ...sorted.map((event) => event.columns), newest.columns),
      state: newest.state,
      events: sorted,
    };
  });
}
