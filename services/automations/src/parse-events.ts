import type { ReceivedEvent } from '@praetor/schema/event';
import { parseJson } from '@praetor/schema/json';
import { jsonObject } from '@praetor/schema/primitives';
import { textRecord } from '@praetor/schema/text-record';
import { z } from 'zod';

const labels = textRecord();

/** Only what must be there: the rest was validated when the event was received. */
const travellingEvent = z.object({
  occurred: z.string(),
  event: z.string(),
  resource: labels,
  related: z.array(labels),
  payload: jsonObject(),
  id: z.string(),
  follows: z.string().nullable(),
  received: z.string(),
});

/** Reads events as they travel the stream. Throws for a text that is none. */
export function parseEvents(texts: readonly string[]): ReceivedEvent[] {
  return texts.map((text) => travellingEvent.parse(parseJson(text)));
}
