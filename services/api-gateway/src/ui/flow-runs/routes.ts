import { z } from 'zod';
import { flowRunSort } from '@praetor/schema/filters/flow-run';
import { workPoolFilter } from '@praetor/schema/filters/work-pool';
import { integer } from '@praetor/schema/primitives';
import { byId, idsOfPage, simpleFlowRun } from '@praetor/schema/ui';
import { bodyParameters } from '../../http/body.ts';
import { page } from '../../http/pagination.ts';
import { type Resource, route } from '../../http/route.ts';
import { optionalRunFilters } from '../../runs/filters.ts';
import { countTaskRuns, listSimpleFlowRuns } from './queries.ts';

const MAXIMUM_LIMIT = 1000;
const tags = ['Flow Runs', 'UI'];

/** What the web UIs show of flow runs beside the runs themselves. */
export const uiFlowRuns: Resource = {
  prefix: '/ui/flow_runs',
  tag: 'Flow Runs',
  routes: [
    route({
      method: 'post',
      path: '/history',
      name: 'read_flow_run_history',
      tags,
      body: bodyParameters({
        sort: flowRunSort.default('EXPECTED_START_TIME_DESC'),
        limit: integer((limit) => limit.min(0).max(MAXIMUM_LIMIT)).default(MAXIMUM_LIMIT),
        offset: page.offset,
        ...optionalRunFilters,
        work_pools: workPoolFilter.optional(),
      }),
      response: z.array(simpleFlowRun),
      status: 200,
      handler: ({ body }, { database }) => listSimpleFlowRuns(database.kysely, body, body.sort, body),
    }),
    route({
      method: 'post',
      path: '/count-task-runs',
      name: 'count_task_runs_by_flow_run',
      tags,
      body: bodyParameters({ flow_run_ids: idsOfPage() }),
      response: byId(z.int()),
      status: 200,
      handler: ({ body }, { database }) => countTaskRuns(database.kysely, body.flow_run_ids),
    }),
  ],
};
