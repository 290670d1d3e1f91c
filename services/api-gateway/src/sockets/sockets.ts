import type { SocketRoute } from '@praetor/runtime/sockets';
import type { GatewayContext } from '../context.ts';
import { createEventsIn } from './events-in.ts';
import { createScheduledTaskRuns } from './scheduled-task-runs.ts';
import { createWorkerChannel } from './worker-channel/route.ts';

/** The WebSockets that the gateway serves itself. */
export function createSockets(context: GatewayContext): SocketRoute[] {
  return [createEventsIn(context), createScheduledTaskRuns(context), createWorkerChannel(context)];
}
