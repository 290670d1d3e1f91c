import { createEventSchema, parseIncomingEvent, receiveEvent } from '@praetor/schema/event';
import type { SocketRoute } from '@praetor/runtime/sockets';
import type { GatewayContext } from '../context.ts';
import { EventIntake } from './event-intake.ts';

/** A client that has something to tell has more to tell: after few frames, what comes within this time is read at once. */
const GATHER_MS = 30;
const MANY = 32;

/** Codes by which a client ends that has no more to tell; any other end has cut it off (RFC 6455 §7.4.1). */
const LEAVING: ReadonlySet<number> = new Set([1000, 1001, 1005]);
const PATIENCE_SECONDS = 60;

/**
 * Events from clients (facts/hidden-endpoints.md §5): one per frame, and never an answer. A client's ping is its checkpoint:
 * the pong tells it that everything before is safe and need not be sent again. An event that is not valid drops the connection.
 * `patienceSeconds`: see `EventIntake`.
 */
export function createEventsIn({ broker, settings, logger }: GatewayContext, patienceSeconds = PATIENCE_SECONDS): SocketRoute {
  const schema = createEventSchema(settings.events);
  return {
    path: '/events/in',
    queuesPings: true,
    async handle(connection) {
      const { stopping } = connection;
      const isCutOff = () => connection.closeCode !== undefined && !LEAVING.has(connection.closeCode);
      const intake = new EventIntake({ broker, stopping, isCutOff, patienceSeconds });
      try {
        for (let frames = await connection.receiveFrames(); frames.length > 0; frames = await connection.receiveFrames()) {
          for (const frame of frames) {
            if (frame.kind === 'ping') {
              intake.checkpoint(() => connection.pong(frame.data));
              continue;
            }
            const event = schema.parse(parseIncomingEvent(frame.text));
            const text = receiveEvent(event, settings.events.maximumSizeBytes);
            if (text === undefined) logger.warn({ event: event.event, id: event.id }, 'an event that is too large was dropped');
            else await intake.accept(text);
          }
          if (frames.length < MANY) await connection.rest(GATHER_MS);
        }
      } finally {
        // Clients that end close without a last checkpoint: what they sent is published all the same.
        await intake.drain();
      }
    },
  };
}
