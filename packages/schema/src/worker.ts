import { z } from 'zod';
import { integer, recordFields, timestamp, uuid } from './primitives.ts';

const workerStatus = z.enum(['ONLINE', 'OFFLINE']).meta({ id: 'WorkerStatus' });

/** A process that fetches runs from a work pool. `status` is judged by its last heartbeat at the time of the answer. */
export const worker = z
  .object({
    ...recordFields(),
    name: z.string(),
    work_pool_id: uuid(),
    last_heartbeat_time: timestamp().nullable(),
    heartbeat_interval_seconds: integer().nullable(),
    status: workerStatus,
  })
  .meta({ id: 'WorkerResponse' });
export type Worker = z.output<typeof worker>;
