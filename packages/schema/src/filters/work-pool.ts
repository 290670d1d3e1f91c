import { z } from 'zod';
import { filterObject, idFilter, operator, textFilter, timestampFilter } from '../filters.ts';

export const workPoolFilter = filterObject({ operator: operator(), id: idFilter(), name: textFilter(), type: textFilter() }).meta({ id: 'WorkPoolFilter' });
export type WorkPoolFilter = z.output<typeof workPoolFilter>;

export const workQueueFilter = filterObject({
  operator: operator(),
  id: idFilter(),
  name: textFilter().extend({ startswith_: z.array(z.string()).nullish() }),
}).meta({ id: 'WorkQueueFilter' });
export type WorkQueueFilter = z.output<typeof workQueueFilter>;

const workerStatuses = () => z.array(z.enum(['ONLINE', 'OFFLINE'])).nullish();

export const workerFilter = filterObject({
  operator: operator(),
  last_heartbeat_time: timestampFilter(),
  status: z.strictObject({ any_: workerStatuses(), not_any_: workerStatuses() }),
}).meta({ id: 'WorkerFilter' });
export type WorkerFilter = z.output<typeof workerFilter>;
