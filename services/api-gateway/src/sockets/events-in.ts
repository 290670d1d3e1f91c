import { createEventSchema, receiveEvent } from '@praetor/schema/event';
import { parseJson } from '@praetor/schema/json';
import type { SocketRoute } from '@praetor/runtime/sockets';
import type { GatewayContext } from '../context.ts';
import { EventIntake } from './event-intake.ts';

/**
 * Events from clients (facts/hidden-endpoints.md §5): one per frame, and never an answer. A client's ping is its checkpoint:
 * the pong tells it that everything before is safe and need not be sent again. An event that is not valid drops the connection.
 */
export function createEventsIn({ broker, settings, logger }: GatewayContext): SocketRoute {
  const schema = createEventSchema(settings.events);
  return {
    path: '/events/in',
    queuesPings: true,
    async handle(connection) {
      const intake = new EventIntake(broker, connection.stopping);
      try {
        for (let frame = await connection.receiveFrame(); frame; frame = await connection.receiveFrame()) {
          if (frame.kind === 'ping') {
            const { data } = frame;
            intake.checkpoint(() => connection.pong(data));
            continue;
          }
          const event = schema.parse(parseJson(frame.text));
          const text = receiveEvent(event, settings.events.maximumSizeBytes);
          if (text === undefined) logger.warn({ event: event.event, id: event.id }, 'an event that is too large was dropped');
          else await intake.accept(text);
        }
      } finally {
        // Clients that end close without a last checkpoint: what they sent is published all the same.
        await intake.drain();
      }
    },
  };
}
