import { z } from 'zod';
import { filterObject, idFilter, operator, textFilter, timestampFilter } from '../filters.ts';

export const workPoolFilter = filterObject('WorkPoolFilter', { operator: operator(), id: idFilter(), name: textFilter(), type: textFilter() });
export type WorkPoolFilter = z.output<typeof workPoolFilter>;

export const workQueueFilter = filterObject('WorkQueueFilter', {
  operator: operator(),
  id: idFilter(),
  name: textFilter().extend({ startswith_: z.array(z.string()).nullish() }),
});
export type WorkQueueFilter = z.output<typeof workQueueFilter>;

const workerStatuses = () => z.array(z.enum(['ONLINE', 'OFFLINE'])).nullish();

export const workerFilter = filterObject('WorkerFilter', {
  operator: operator(),
  last_heartbeat_time: timestampFilter(),
  status: z.strictObject({ any_: workerStatuses(), not_any_: workerStatuses() }),
});
export type WorkerFilter = z.output<typeof workerFilter>;
