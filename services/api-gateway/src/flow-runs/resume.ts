import { type Kysely, sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { type StateChange, setFlowRunState } from '@praetor/orchestration/set-state';
import { BadRequestError, NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import { type JsonObject, isJsonObject, parseJson, toJson } from '@praetor/schema/json';
import { type State, proposeState } from '@praetor/schema/state';
import type { GatewayContext } from '../context.ts';
import type { ClientVersions } from '../http/client.ts';
import { findMisfit, findSchemaFault } from '../parameters/json-schema.ts';
import { hydrateParameters } from '../parameters/workspace.ts';
import { findInput } from './inputs.ts';
import { findFlowRun } from './queries.ts';

const refuse = (status: 'ABORT' | 'REJECT', state: State | null, reason: string): StateChange => ({
  result: { state, status, details: { type: 'abort_details', reason } },
  isNew: false,
  events: [],
});

function parseSchema(text: string): JsonObject | undefined {
  try {
    const schema = parseJson(text);
    return isJsonObject(schema) ? schema : undefined;
  } catch {
    return undefined;
  }
}

/** The input with its placeholders filled in. Throws BadRequestError or UnprocessableError where it does not fit the schema that the run has left for it. */
async function checkInput(db: Kysely<Tables>, flowRunId: string, schemaKey: string, given: JsonObject): Promise<JsonObject> {
  const input = await hydrateParameters(db, given);
  const stored = await findInput(db, flowRunId, schemaKey);
  if (stored === undefined) throw new BadRequestError('There is no schema for the input of this run.');
  const schema = parseSchema(stored.value);
  if (schema === undefined) throw new BadRequestError('The schema for the input of this run is not valid JSON.');
  const misfit = findSchemaFault(schema) ?? findMisfit(input, schema, { required: true });
  if (misfit !== undefined) throw new BadRequestError(misfit);
  return input;
}

async function storeInput(db: Kysely<Tables>, flowRunId: string, key: string, input: JsonObject): Promise<void> {
  const value = toJson(input);
  await db
    .insertInto('flow_run_input')
    .values({ flow_run_id: flowRunId, key, value })
    .onConflict((conflict) => conflict.columns(['flow_run_id', 'key']).doUpdateSet({ value, updated: sql`now()` }))
    .execute();
}

/** Takes the input of a refused resumption back, unless another one has brought the run out of its pause meanwhile. */
async function discardInput(db: Kysely<Tables>, flowRunId: string, key: string, pausedStateId: string): Promise<void> {
  await sql`delete from flow_run_input where flow_run_id = ${flowRunId} and key = ${key}
    and exists (select from flow_run where flow_run.id = ${flowRunId} and flow_run.state_id = ${pausedStateId})`.execute(db);
}

/**
 * Lets a paused run go on, or one that was suspended be scheduled again (facts/orchestration.md §9). Input that the run
 * waits for is stored before its state changes, so whoever sees the run go on finds it. Throws NotFoundError.
 */
export async function resumeFlowRun(context: GatewayContext, flowRunId: string, runInput: JsonObject | null, versions: ClientVersions): Promise<StateChange> {
  const { kysely } = context.database;
  const run = await findFlowRun(kysely, flowRunId);
  if (run === undefined) throw new NotFoundError('Flow run not found');
  if (run.state?.type !== 'PAUSED') return refuse('ABORT', null, 'Only a paused flow run can be resumed.');
  const { id: pausedStateId, state_details: details } = run.state;
  const keys = details.run_input_keyset;
  let input: JsonObject | undefined;
  if (keys !== null) {
    try {
      input = await checkInput(kysely, flowRunId, keys['schema'] ?? '', runInput ?? {});
    } catch (error) {
      if (error instanceof BadRequestError || error instanceof UnprocessableError) return refuse('REJECT', run.state, error.message);
      throw error;
    }
  }
  const responseKey = input !== undefined && Object.keys(input).length > 0 ? keys?.['response'] : undefined;
  if (responseKey !== undefined && input !== undefined) await storeInput(kysely, flowRunId, responseKey, input);
  const state = details.pause_reschedule ? proposeState('SCHEDULED', { name: 'Resuming' }) : proposeState('RUNNING');
  const change = await setFlowRunState(context.database, { flowRunId, state, ...versions, onlyFromStateId: pausedStateId }, orchestrationSettings(context.settings));
  if (responseKey !== undefined && change.result.status !== 'ACCEPT') await discardInput(kysely, flowRunId, responseKey, pausedStateId);
  return change;
}
