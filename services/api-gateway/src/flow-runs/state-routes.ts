import { publishEvents } from '@praetor/orchestration/changes';
import { resumeFlowRun } from '@praetor/orchestration/resume-flow-run';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { type StateChange, setFlowRunState } from '@praetor/orchestration/set-state';
import { flowRunFilter } from '@praetor/schema/filters/flow-run';
import { type FlowRunOrchestrationResult, flowRunBulkSetStateResponse } from '@praetor/schema/flow-run';
import { jsonObject, uuid } from '@praetor/schema/primitives';
import { type StateCreate, orchestrationResult, stateProposal } from '@praetor/schema/state';
import type { GatewayContext } from '../context.ts';
import { bodyParameters, bulkLimit } from '../http/body.ts';
import { type ClientVersions, clientVersions } from '../http/client.ts';
import { Reply, type Route, route } from '../http/route.ts';
import { listFlowRuns } from './queries.ts';

const byId = { id: uuid() };

/** 201 where a new state was stored, and its event on its way. */
function answer({ result, isNew, events }: StateChange, context: GatewayContext): Reply {
  publishEvents(context, events);
  return new Reply(isNew ? 201 : 200, result);
}

function propose(context: GatewayContext, flowRunId: string, { state, force }: { state: StateCreate; force: boolean }, versions: ClientVersions): Promise<StateChange> {
  const proposal = { flowRunId, state, policy: force ? 'minimal' : 'core', ...versions } as const;
  return setFlowRunState(context.database, proposal, orchestrationSettings(context.settings));
}

/** One result of a bulk change: what goes wrong with one run must not keep the others from theirs. */
async function proposeOne(context: GatewayContext, flow_run_id: string, body: { state: StateCreate; force: boolean }, versions: ClientVersions): Promise<FlowRunOrchestrationResult> {
  try {
    const change = await propose(context, flow_run_id, body, versions);
    publishEvents(context, change.events);
    const { status, state, details } = change.result;
    return { flow_run_id, status, state, details };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { flow_run_id, status: 'ABORT', state: null, details: { type: 'abort_details', reason } };
  }
}

/** How the states of flow runs are changed. */
export const stateRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/{id}/set_state',
    name: 'set_flow_run_state',
    params: byId,
    body: bodyParameters(stateProposal),
    response: orchestrationResult,
    status: 200,
    otherStatuses: [201],
    handler: async ({ params, body, headers }, context) => answer(await propose(context, params.id, body, clientVersions(headers)), context),
  }),
  route({
    method: 'post',
    path: '/{id}/resume',
    name: 'resume_flow_run',
    params: byId,
    body: bodyParameters({ run_input: jsonObject().nullish() }),
    response: orchestrationResult,
    status: 200,
    otherStatuses: [201],
    handler: async ({ params, body, headers }, context) => {
      const resumption = { flowRunId: params.id, runInput: body.run_input ?? null, ...clientVersions(headers) };
      return answer(await resumeFlowRun(context.database, resumption, orchestrationSettings(context.settings)), context);
    },
  }),
  route({
    method: 'post',
    path: '/bulk_set_state',
    name: 'bulk_set_flow_run_state',
    body: bodyParameters({ flow_runs: flowRunFilter.nullish(), ...stateProposal, limit: bulkLimit() }),
    response: flowRunBulkSetStateResponse,
    status: 200,
    handler: async ({ body, headers }, context) => {
      const runs = await listFlowRuns(context.database.kysely, { flow_runs: body.flow_runs }, 'ID_DESC', { limit: body.limit, offset: 0 });
      const results: FlowRunOrchestrationResult[] = [];
      for (const { id } of runs) results.push(await proposeOne(context, id, body, clientVersions(headers)));
      return { results };
    },
  }),
];
