import { z } from 'zod';
import { dependencyResult, graph } from '@praetor/schema/flow-run-graph';
import { timestamp, uuid } from '@praetor/schema/primitives';
import { type Route, route } from '../http/route.ts';
import { listDependencies } from './dependencies.ts';
import { readGraph } from './graph.ts';

const byId = { id: uuid() };
const EARLIEST = '0001-01-01T00:00:00Z';

const tags = ['Flow Runs', 'Flow Run Graph'];

/** How the web UIs see the inside of a flow run. */
export const graphRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/{id}/graph',
    name: 'read_flow_run_graph_v1',
    tags,
    params: byId,
    response: z.array(dependencyResult),
    status: 200,
    handler: ({ params }, { database }) => listDependencies(database.kysely, params.id),
  }),
  route({
    method: 'get',
    path: '/{id}/graph-v2',
    name: 'read_flow_run_graph_v2',
    tags,
    params: byId,
    query: { since: timestamp().default(EARLIEST) },
    response: graph,
    status: 200,
    handler: ({ params, query }, { database, settings: { flowRunGraph } }) =>
      readGraph(database.kysely, { flowRunId: params.id, since: query.since, ...flowRunGraph }),
  }),
];
