import { z } from 'zod';
import { float, integer, timestamp, uuid } from './primitives.ts';
import { stateType } from './state.ts';
import { taskRun } from './task-run.ts';

/* What the web UIs alone ask for. */

/** The ids of what one page of a UI shows (facts/prefect-3.9.1.md §1.2). */
export const idsOfPage = () => z.array(uuid()).max(200);

/** What there is of each of them. */
export const byId = <T extends z.ZodType>(value: T) => z.record(z.string(), value).meta({ propertyNames: { format: 'uuid' } });

/** The next scheduled run of a flow. */
export const simpleNextFlowRun = z
  .object({ id: uuid(), flow_id: uuid(), name: z.string(), state_name: z.string(), state_type: stateType, next_scheduled_start_time: timestamp() })
  .meta({ id: 'SimpleNextFlowRun' });
export type SimpleNextFlowRun = z.output<typeof simpleNextFlowRun>;

/** A bar of the histogram of runs. */
export const simpleFlowRun = z
  .object({
    id: uuid(),
    state_type: stateType,
    /** When the run started, or else should have. */
    timestamp: timestamp(),
    /** Seconds, as the next one. */
    duration: float(),
    lateness: float(),
  })
  .meta({ id: 'SimpleFlowRun' });
export type SimpleFlowRun = z.output<typeof simpleFlowRun>;

/** How many task runs of one span of time ended well and how many did not. */
export const taskRunCount = z.object({ completed: integer(), failed: integer() }).meta({ id: 'TaskRunCount' });
export type TaskRunCount = z.output<typeof taskRunCount>;

const count = () => integer().default(0);

export const countByState = z
  .object({
    COMPLETED: count(),
    PENDING: count(),
    RUNNING: count(),
    FAILED: count(),
    CANCELLED: count(),
    CRASHED: count(),
    PAUSED: count(),
    CANCELLING: count(),
    SCHEDULED: count(),
  })
  .meta({ id: 'CountByState' });
export type CountByState = z.output<typeof countByState>;

export const uiTaskRun = taskRun.extend({ flow_run_name: z.string().nullable() }).meta({ id: 'UITaskRun' });
export type UITaskRun = z.output<typeof uiTaskRun>;
