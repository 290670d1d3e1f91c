import { type Kysely, sql } from 'kysely';
import type { Database } from '@praetor/database/connect';
import type { Tables } from '@praetor/database/tables';
import { findMisfit, findSchemaFault } from '@praetor/parameters/json-schema';
import { hydrateParameters } from '@praetor/parameters/workspace';
import { BadRequestError, NotFoundError, UnprocessableError } from '@praetor/schema/errors';
import { type JsonObject, isJsonObject, parseJson, toJson } from '@praetor/schema/json';
import { type State, proposeState } from '@praetor/schema/state';
import { readFlowRun } from './read-flow-run.ts';
import { type FlowRunProposal, type StateChange, setFlowRunState } from './set-state.ts';
import type { OrchestrationSettings } from './settings.ts';

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
  const stored = await db.selectFrom('flow_run_input').select('value').where('flow_run_id', '=', flowRunId).where('key', '=', schemaKey).executeTakeFirst();
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

/** Lets a paused run go on. */
export interface Resumption extends Pick<FlowRunProposal, 'flowRunId' | 'apiVersion' | 'clientVersion'> {
  /** What the run waits for, if it waits for something. */
  runInput?: JsonObject | null;
}

/**
 * Lets a paused run go on, or one that was suspended be scheduled again (facts/orchestration.md §9). Input that the run
 * waits for is stored before its state changes, so whoever sees the run go on finds it. Throws NotFoundError.
 */
export async function resumeFlowRun(database: Database, { flowRunId, runInput, ...versions }: Resumption, settings: OrchestrationSettings): Promise<StateChange> {
  const { kysely } = database;
  const run = await readFlowRun(database.sql, flowRunId);
  if (run === undefined) throw new NotFoundError('Flow run not found');
  const { initial } = run;
  if (initial?.type !== 'PAUSED') return refuse('ABORT', null, 'Only a paused flow run can be resumed.');
  const { id: pausedStateId, state_details: details } = initial;
  const keys = details.run_input_keyset;
  let input: JsonObject | undefined;
  if (keys !== null) {
    try {
      input = await checkInput(kysely, flowRunId, keys['schema'] ?? '', runInput ?? {});
    } catch (error) {
      if (error instanceof BadRequestError || error instanceof UnprocessableError) return refuse('REJECT', initial, error.message);
      throw error;
    }
  }
  const responseKey = input !== undefined && Object.keys(input).length > 0 ? keys?.['response'] : undefined;
  if (responseKey !== undefined && input !== undefined) await storeInput(kysely, flowRunId, responseKey, input);
  const state = details.pause_reschedule ? proposeState('SCHEDULED', { name: 'Resuming' }) : proposeState('RUNNING');
  const change = await setFlowRunState(database, { flowRunId, state, ...versions, onlyFromStateId: pausedStateId }, settings);
  if (responseKey !== undefined && change.result.status !== 'ACCEPT') await discardInput(kysely, flowRunId, responseKey, pausedStateId);
  return change;
}
