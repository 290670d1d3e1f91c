import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { Api, type Answer } from '@praetor/test/support/api';
import { makeTaskRunEvent } from '@praetor/test/support/events';
import { SocketClient } from '@praetor/test/support/socket-client';

/*
 * A flow run as the Python client does it, without its weight, so that hundreds fit into a test of faults: states by HTTP,
 * repeated when the server is away or overloaded; task runs as events by socket, kept until the pong after them, and sent
 * again over a new connection when it did not come.
 */

const RETRIED = new Set([429, 502, 503, 504]);
const ATTEMPTS = 60;

/** Sends a request until the server takes it, as the Python client does; each attempt is repeatable. */
async function insist(api: Api, path: string, body: unknown): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await api.post(path, body).catch(() => undefined);
    if (answer !== undefined && !RETRIED.has(answer.status)) return answer;
    if (attempt === ATTEMPTS) throw new Error(`${path} was not taken: ${String(answer?.status ?? 'no connection')}`);
    await sleep(100 + Math.random() * 200);
  }
}

/** Sends events until a pong after them has come. */
export async function deliver(url: string, events: readonly object[]): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      const client = await SocketClient.connect(url);
      try {
        for (const event of events) client.send(event);
        await client.ping();
        return;
      } finally {
        client.close();
      }
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(100 + Math.random() * 200);
    }
}

const TASK_STATES = [
  ['PENDING', 'Pending'],
  ['RUNNING', 'Running'],
  ['COMPLETED', 'Completed'],
] as const;

/** What a run has been promised: these must be in the database afterwards. */
export interface SimulatedRun {
  id: string;
  taskRunIds: string[];
  /** Events whose pong has come. */
  eventIds: string[];
}

/** Runs one flow run of so many tasks to its end. Throws when a state is refused or the server stays away. */
export async function simulateRun(apiUrl: string, flowId: string, taskCount: number): Promise<SimulatedRun> {
  const api = new Api(apiUrl);
  const socketUrl = `${apiUrl.replace('http', 'ws')}/events/in`;
  const created = await insist(api, '/flow_runs/', { flow_id: flowId, idempotency_key: randomUUID(), state: { type: 'PENDING' } });
  const id: string = created.body.id;
  const propose = async (type: string) => {
    // A transition id makes the repetition of a proposal whose answer was lost harmless.
    const body = { state: { type, state_details: { transition_id: randomUUID() } } };
    const { body: result } = await insist(api, `/flow_runs/${id}/set_state`, body);
    if (result.state?.type !== type) throw new Error(`${id} → ${type}: ${JSON.stringify(result)}`);
  };
  await propose('RUNNING');
  const taskRunIds = Array.from({ length: taskCount }, () => randomUUID());
  const start = now();
  const events = taskRunIds.flatMap((taskRunId, index) =>
    TASK_STATES.map(([type, name], step) =>
      makeTaskRunEvent({ taskRunId, flowRunId: id, at: addSeconds(start, index * 0.01 + step * 0.001), type, name, run: { run_count: step === 0 ? 0 : 1 } }),
    ),
  );
  await deliver(socketUrl, events);
  await propose('COMPLETED');
  return { id, taskRunIds, eventIds: events.map((event) => event.id) };
}
