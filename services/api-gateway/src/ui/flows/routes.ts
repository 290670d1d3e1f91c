import { z } from 'zod';
import { byId, idsOfPage, simpleNextFlowRun } from '@praetor/schema/ui';
import { bodyParameters } from '../../http/body.ts';
import { type Resource, route } from '../../http/route.ts';
import { countDeployments, findNextRuns } from './queries.ts';

const tags = ['Flows', 'UI'];
const flowIds = bodyParameters({ flow_ids: idsOfPage() });

/** What the web UIs show of flows beside the flows themselves. */
export const uiFlows: Resource = {
  prefix: '/ui/flows',
  tag: 'Flows',
  routes: [
    route({
      method: 'post',
      path: '/count-deployments',
      name: 'count_deployments_by_flow',
      tags,
      body: flowIds,
      response: byId(z.int()),
      status: 200,
      handler: ({ body }, { database }) => countDeployments(database.kysely, body.flow_ids),
    }),
    route({
      method: 'post',
      path: '/next-runs',
      name: 'next_runs_by_flow',
      tags,
      body: flowIds,
      response: byId(simpleNextFlowRun.nullable()),
      status: 200,
      handler: ({ body }, { database }) => findNextRuns(database.kysely, body.flow_ids),
    }),
  ],
};
