import { z } from 'zod';
import { acknowledgeTaskRun, claimTaskRuns, keepTaskRun, unclaimTaskRuns } from '@praetor/orchestration/background-tasks';
import type { Connection } from '@praetor/runtime/connection';
import type { SocketRoute } from '@praetor/runtime/sockets';
import { toJson } from '@praetor/schema/json';
import type { GatewayContext } from '../context.ts';
import { findTaskRun } from '../task-runs/queries.ts';
import { TaskWorkerRegister } from '../task-workers/register.ts';
import { TaskQueueWatch } from './task-queue-watch.ts';

/** A gateway that dies gives its claims back after this time. */
const CLAIM_SECONDS = 60;
const PROTOCOL_VIOLATION = 4001;

const subscription = z.object({ type: z.literal('subscribe'), keys: z.array(z.string()).min(1), client_id: z.string().min(1) });
const answer = z.object({ type: z.enum(['ack', 'quit']) });

function closeFor(connection: Connection, error: z.ZodError): void {
  connection.close(PROTOCOL_VIOLATION, `Protocol violation: ${error.issues[0]?.path.join('.') || 'message'} is missing or wrong`);
}

/**
 * Background tasks for the workers that `task.serve()` runs (facts/hidden-endpoints.md §8): each run goes to one worker, which
 * acknowledges it. A worker that leaves before gives its run back.
 */
export function createScheduledTaskRuns({ database, logger }: GatewayContext): SocketRoute {
  const { sql } = database;
  const watch = new TaskQueueWatch(sql, (error) => logger.warn({ error }, 'cannot look into the queue of background tasks'));

  const register = new TaskWorkerRegister(sql, (error) => logger.warn({ error }, 'cannot tell which task workers are connected'));

  /** The next run for a worker, of its tasks in its order; undefined when it has left. */
  async function claimNext(keys: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    while (!signal.aborted) {
      for (const key of keys) {
        const [id] = await claimTaskRuns(sql, [key], 1, CLAIM_SECONDS);
        if (id !== undefined) return id;
      }
      await watch.wait(keys, signal);
    }
    return undefined;
  }

  /** The worker's answer to a run. It may take long, if all its slots are busy; the run stays claimed meanwhile. */
  async function receiveAnswer(connection: Connection, taskRunId: string): Promise<unknown> {
    const keep = () => keepTaskRun(sql, taskRunId, CLAIM_SECONDS).catch((error: unknown) => logger.warn({ error, taskRunId }, 'cannot prolong a claim'));
    const timer = setInterval(keep, (CLAIM_SECONDS / 3) * 1000);
    try {
      return await connection.receiveJson();
    } finally {
      clearInterval(timer);
    }
  }

  return {
    path: '/task_runs/subscriptions/scheduled',
    async handle(connection) {
      const message = await connection.receiveJson();
      if (message === undefined) return;
      const { data: subscribed, error } = subscription.safeParse(message);
      if (!subscribed) return closeFor(connection, error);
      await using _registration = await register.join(subscribed.client_id, subscribed.keys);
      for (let id = await claimNext(subscribed.keys, connection.signal); id !== undefined; id = await claimNext(subscribed.keys, connection.signal)) {
        let isDelivered = false;
        try {
          const run = await findTaskRun(database.kysely, id);
          if (!run) continue;
          await connection.send(toJson(run));
          const { data, error } = answer.safeParse(await receiveAnswer(connection, id));
          isDelivered = data?.type === 'ack';
          if (data?.type === 'quit') return;
          if (error && !connection.signal.aborted) return closeFor(connection, error);
        } finally {
          await (isDelivered ? acknowledgeTaskRun(sql, id) : unclaimTaskRuns(sql, [id]));
        }
      }
    },
  };
}
