import { randomUUID } from 'node:crypto';
import type { Connection } from '@praetor/runtime/connection';
import { parseJson, toJson } from '@praetor/schema/json';
import { now } from '@praetor/schema/timestamps';
import { type ServerPayloads, type WorkerFrame, workerFrame } from '@praetor/schema/worker-channel';
import { ChannelClosing } from './closing.ts';

/** The next frame of a worker; undefined when no more will come. Throws ChannelClosing for anything else. */
export async function receiveFrame(connection: Connection): Promise<WorkerFrame | undefined> {
  const text = await connection.receive();
  if (text === undefined) return undefined;
  try {
    return workerFrame.parse(parseJson(text));
  } catch (error) {
    throw new ChannelClosing('protocol_error', { cause: error });
  }
}

/** Sends a worker a frame of this type; resolves when it has left the process, or never will: whether it has. */
export function sendFrame<Type extends keyof ServerPayloads>(connection: Connection, type: Type, payload: ServerPayloads[Type]): Promise<boolean> {
  return connection.send(toJson({ type, id: randomUUID(), sent_at: now(), payload }));
}
