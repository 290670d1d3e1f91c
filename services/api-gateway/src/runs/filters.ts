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

/** The same where Prefect's document does not say that they may be null. */
export const optionalRunFilters = {
  flows: flowFilter.optional(),
  flow_runs: flowRunFilter.optional(),
  task_runs: taskRunFilter.optional(),
  deployments: deploymentFilter.optional(),
};
