import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { resume } from '@praetor/automations/actions/flow-run-actions';
import { ActionFailedError } from '@praetor/automations/actions/outcome';
import type { TriggeredAction } from '@praetor/automations/triggered-action';
import { createFlowRun } from '@praetor/orchestration/create-flow-run';
import { orchestrationSettings } from '@praetor/orchestration/settings';
import { proposeState } from '@praetor/schema/state';
import { createBroker } from '@praetor/streams/create-broker';
import { createTestContext } from '@praetor/test/support/context';
import { createTestDatabase, isPostgresReachable } from '@praetor/test/support/database';

const skip = (await isPostgresReachable()) ? false : 'needs Postgres';

test('a resumption whose process died before it could say so is not told as a failure', { skip }, async () => {
  await using database = await createTestDatabase();
  await using broker = createBroker({ saveDeadLetter: async () => {}, onError: () => {} });
  const context = createTestContext(database, broker);
  const [flow_id, deployment_id] = [randomUUID(), randomUUID()];
  await database.sql`insert into flow (id, name) values (${flow_id}::uuid, 'f')`;
  await database.sql`insert into deployment (id, flow_id, name) values (${deployment_id}::uuid, ${flow_id}::uuid, 'd')`;
  const create = async (state: Parameters<typeof proposeState>) =>
    (await createFlowRun(database, { flow_id, deployment_id, state: proposeState(...state) }, orchestrationSettings(context.settings))).id;
  const attempt = (id: string, isRepeated: boolean) =>
    resume(
      context,
      { id: randomUUID(), triggering_labels: { 'prefect.resource.id': `prefect.flow-run.${id}` }, action: { type: 'resume-flow-run' } } as unknown as TriggeredAction,
      { isRepeated, isLast: false, signal: new AbortController().signal },
    );

  const paused = await create(['PAUSED', { name: 'Suspended', details: { pause_reschedule: true } }]);
  await attempt(paused, false);
  await attempt(paused, true);
  await assert.rejects(attempt(paused, false), ActionFailedError);
  const waiting = await create(['PAUSED', { details: { run_input_keyset: { schema: 's', response: 'r' } } }]);
  await assert.rejects(attempt(waiting, true), ActionFailedError);
});
