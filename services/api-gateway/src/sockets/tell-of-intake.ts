import { NOTE_SECONDS, noteIntake } from '@praetor/orchestration/intake';
import { pause } from '@praetor/streams/backoff';
import type { Broker } from '@praetor/streams/broker';
import type { GatewayContext } from '../context.ts';

/** Whether events would be published now: Redis answers, and there is room. */
async function hasRoom(broker: Broker, maxLength: number): Promise<boolean> {
  const groups = await broker.lag();
  return groups.every(({ lag, pending }) => lag + pending < maxLength);
}

/**
 * Notes again and again, until the signal aborts, that this gateway takes in events. While it could not, it notes nothing:
 * who is not heard then need not be gone.
 */
export async function tellOfIntake({ broker, database, settings, logger }: GatewayContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await hasRoom(broker, settings.streams.maxLength)) await noteIntake(database.sql);
    } catch (error) {
      logger.debug({ error }, 'events cannot be taken in');
    }
    await pause(NOTE_SECONDS * 1000, signal);
  }
}
