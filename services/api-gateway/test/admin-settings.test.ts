import assert from 'node:assert/strict';
import { test } from '@praetor/test/support/postgres-test';
import { formatDuration } from '../src/admin/settings.ts';
import { startGateway } from './support.ts';

test('the settings of the server in their nesting', async (t) => {
  const SECRET = 'admin:hunter2';
  await using gateway = await startGateway({
    PREFECT_SERVER_API_AUTH_STRING: SECRET,
    PREFECT_API_DEFAULT_LIMIT: '50',
    PREFECT_SERVER_DATABASE_CONNECTION_URL: 'postgresql+asyncpg://me:hunter2@db/prefect',
    PREFECT_SERVER_EVENTS_RETENTION_PERIOD: '90000',
    PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT: 'false',
    PREFECT_SERVER_API_CSRF_TOKEN_EXPIRATION: '90',
  });
  const authorization = `Basic ${Buffer.from(SECRET).toString('base64')}`;
  const { status, body } = await gateway.api.request('GET', '/admin/settings', undefined, { authorization });
  assert.equal(status, 200);

  await t.test('are those that Praetor goes by, where it knows them', () => {
    const { api, events, ui, analytics_enabled } = body.server;
    assert.deepEqual([api.default_limit, api.csrf_token_expiration, api.base_path], [50, 'PT1M30S', null]);
    assert.deepEqual([events.retention_period, events.maximum_websocket_backfill], ['P1DT1H', 'PT15M']);
    assert.deepEqual([ui.show_promotional_content, ui.serve_base, ui.api_url], [false, '/', 'http://127.0.0.1:4200/api']);
    assert.equal(analytics_enabled, false);
    assert.deepEqual(body.server.services.db_vacuum.event_retention_overrides, { 'prefect.flow-run.heartbeat': 'P7D' });
  });

  await t.test("and Prefect's defaults elsewhere", () => {
    assert.deepEqual(body.deployments, { clear_schedules_on_empty: false, default_work_pool_name: null, default_docker_build_namespace: null });
    assert.equal(body.cloud.ui_url, 'https://app.prefect.cloud');
    assert.equal(Object.keys(body).length, 23);
  });

  await t.test('and tell no secrets', () => {
    assert.deepEqual([body.server.api.auth_string, body.server.database.connection_url, body.server.database.password], ['**********', '**********', null]);
    assert.ok(!JSON.stringify(body).includes('hunter2'));
  });

  await t.test('with durations as text', () => {
    for (const [seconds, text] of [[0, 'PT0S'], [0.5, 'PT0.5S'], [3600, 'PT1H'], [86_400, 'P1D'], [90_061, 'P1DT1H1M1S']] as const) assert.equal(formatDuration(seconds), text);
  });
});
