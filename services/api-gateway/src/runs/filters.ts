import { deploymentFilter } from '@praetor/schema/filters/deployment';
import { flowFilter } from '@praetor/schema/filters/flow';
import { flowRunFilter } from '@praetor/schema/filters/flow-run';
import { taskRunFilter } from '@praetor/schema/filters/task-run';

/** The filters that every list of runs takes as body parameters. */
export const runFilters = {
  flows: flowFilter.nullish(),
  flow_runs: flowRunFilter.nullish(),
  task_runs: taskRunFilter.nullish(),
  deployments: deploymentFilter.nullish(),
};
