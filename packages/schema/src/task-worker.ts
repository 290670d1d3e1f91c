import { z } from 'zod';
import { timestamp } from './primitives.ts';

/** A process that serves background tasks, and when it was last known to be there. */
export const taskWorker = z.object({ identifier: z.string(), task_keys: z.array(z.string()), timestamp: timestamp() }).meta({ id: 'TaskWorkerResponse' });
export type TaskWorker = z.output<typeof taskWorker>;

export const taskWorkerFilter = z.object({ task_keys: z.array(z.string()) }).meta({ id: 'TaskWorkerFilter' });
