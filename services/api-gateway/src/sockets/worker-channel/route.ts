import type { Connection } from '@praetor/runtime/connection';
import type { SocketRoute } from '@praetor/runtime/sockets';
import type { GatewayContext } from '../../context.ts';
import { ChannelClosing } from './closing.ts';
import { receiveFrame, sendFrame } from './frames.ts';
import { greet } from './greeting.ts';
import { PoolWatch } from './pool-watch.ts';
import { WorkerSession } from './session.ts';

/** The name in a URL; one that is not well encoded is taken as it stands. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * The worker channel (facts/hidden-endpoints.md §9): heartbeats, news of the pool and clean-up work through one socket.
 * A worker whose channel ends with 1011, or without a word, goes on by REST and comes back.
 */
export function createWorkerChannel(context: GatewayContext): SocketRoute {
  const { logger } = context;
  const watch = new PoolWatch(context.database, (error) => logger.warn({ error }, 'cannot look at the pools of connected workers'));

  async function serve(connection: Connection, poolName: string): Promise<void> {
    const frame = await receiveFrame(connection);
    if (frame === undefined) return;
    if (frame.type !== 'worker.hello.v1') throw new ChannelClosing('protocol_error');
    const ready = await greet(context, poolName, frame.payload);
    const session = new WorkerSession(connection, context, frame.payload, ready);
    await sendFrame(connection, 'worker.ready.v1', ready);
    using _watched = watch.watch(session);
    await session.serve();
  }

  return {
    path: '/work_pools/{work_pool_name}/workers/connect',
    needsSubprotocol: true,
    authenticationFailure: 'authentication_failed',
    async handle(connection, { work_pool_name: segment = '' }) {
      const poolName = decode(segment);
      try {
        await serve(connection, poolName);
      } catch (error) {
        const { reason, code, cause } = error instanceof ChannelClosing ? error : new ChannelClosing('transient_server_error', { cause: error });
        if (code === 1011) logger.warn({ error: cause, poolName, reason }, 'a worker channel was closed');
        connection.close(code, reason);
      }
    },
  };
}
