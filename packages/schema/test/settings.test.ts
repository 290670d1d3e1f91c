import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SettingsError, type SettingValues } from '@praetor/schema/setting';
import { SETTINGS, parseSettings } from '@praetor/schema/settings';

describe('settings', () => {
  test('have their defaults', () => {
    const settings = parseSettings({});
    assert.deepEqual([settings.api.host, settings.api.port, settings.api.authString], ['127.0.0.1', 4200, undefined]);
    assert.deepEqual(settings.services.lateRuns, { enabled: true, loopSeconds: 5, afterSeconds: 15 });
  });

  const accepted: [title: string, values: SettingValues, read: (settings: ReturnType<typeof parseSettings>) => unknown, expected: unknown][] = [
    ['numbers as text', { PREFECT_SERVER_API_PORT: '4300' }, ({ api }) => api.port, 4300],
    ['booleans as Prefect writes them', { PREFECT_SERVER_SERVICES_FOREMAN_ENABLED: 'False' }, ({ services }) => services.foreman.enabled, false],
    ['durations in seconds', { PREFECT_SERVER_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL: '3600' }, ({ events }) => events.maximumWebsocketBackfillSeconds, 3600],
    ['durations as a clock', { PREFECT_SERVER_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL: '7 days, 0:00:30' }, ({ events }) => events.maximumWebsocketBackfillSeconds, 604_830],
    ['durations in ISO 8601', { PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS: 'PT1M' }, ({ services }) => services.lateRuns.afterSeconds, 60],
    ['levels in lower case', { PREFECT_SERVER_LOGGING_LEVEL: 'debug' }, ({ loggingLevel }) => loggingLevel, 'DEBUG'],
    ['former names', { PREFECT_API_SERVICES_LATE_RUNS_LOOP_SECONDS: '1' }, ({ services }) => services.lateRuns.loopSeconds, 1],
    ['the name before its alias', { PREFECT_SERVER_LOGGING_LEVEL: 'ERROR', PREFECT_LOGGING_LEVEL: 'DEBUG' }, ({ loggingLevel }) => loggingLevel, 'ERROR'],
    ['empty text as nothing', { PREFECT_SERVER_API_AUTH_STRING: '', PREFECT_SERVER_API_PORT: '' }, ({ api }) => [api.authString, api.port], [undefined, 4200]],
    ['lists by commas, runs with their orphans', { PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'events, flow_runs' }, ({ services }) => services.dbVacuum.enabled, ['events', 'flow_runs', 'orphans']],
    ["Prefect's old switch of the vacuum", { PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'false' }, ({ services }) => services.dbVacuum.enabled, ['events']],
    ['times by name', { PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES: '{"a.b": 60}' }, ({ services }) => services.dbVacuum.eventRetentionOverrides, { 'a.b': 60 }],
    ['a database in parts', { PREFECT_SERVER_DATABASE_HOST: 'db', PREFECT_API_DATABASE_USER: 'me', PREFECT_SERVER_DATABASE_PASSWORD: 'a/b@c' }, ({ database }) => database.connectionUrl, 'postgresql://me:a%2Fb%40c@db:5432/prefect'],
    ['the folder of a socket', { PREFECT_SERVER_DATABASE_HOST: '/run/pg', PREFECT_SERVER_DATABASE_NAME: 'x' }, ({ database }) => database.connectionUrl, 'postgresql://postgres:@localhost:5432/x?host=%2Frun%2Fpg'],
    ['a password into its place', { PREFECT_SERVER_DATABASE_CONNECTION_URL: 'postgresql+asyncpg://me:${PREFECT_API_DATABASE_PASSWORD}@db/x', PREFECT_SERVER_DATABASE_PASSWORD: '$&@' }, ({ database }) => database.connectionUrl, 'postgresql+asyncpg://me:%24%26%40@db/x'],
    ['and ignore what they do not know', { PREFECT_API_URL: 'http://elsewhere' }, ({ api }) => api.port, 4200],
  ];
  for (const [title, values, read, expected] of accepted) test(`take ${title}`, () => assert.deepEqual(read(parseSettings(values)), expected));

  const refused: [name: string, value: unknown][] = [
    ['PREFECT_SERVER_API_PORT', 'http'],
    ['PREFECT_SERVER_API_PORT', '70000'],
    ['PREFECT_SERVER_API_DEFAULT_LIMIT', '0'],
    ['PREFECT_SERVER_API_BASE_PATH', 'api'],
    ['PREFECT_SERVER_API_BASE_PATH', '/'],
    ['PRAETOR_API_TRUSTED_PROXIES', '10.0.0.0/8,proxy.example'],
    ['FORWARDED_ALLOW_IPS', '10.0.0.0/33'],
    ['PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS', '-1'],
    ['PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED', 'perhaps'],
    ['PREFECT_SERVER_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL', 'a week'],
    ['PREFECT_LOGGING_LEVEL', 'LOUD'],
    ['PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED', 'everything'],
    ['PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES', 'a week'],
    ['PREFECT_API_DATABASE_CONNECTION_URL', 'sqlite+aiosqlite:///secret.db'],
    ['PRAETOR_REDIS_URL', 'localhost:6379'],
  ];
  for (const [name, value] of refused)
    test(`refuse ${name}=${String(value)}, naming the variable and not the value`, () => {
      assert.throws(
        () => parseSettings({ [name]: value }),
        (error) => error instanceof SettingsError && error.message.startsWith(`${name}: `) && !error.message.includes('secret'),
      );
    });

  test('tell everything that is wrong at once', () => {
    const attempt = () => parseSettings({ PREFECT_SERVER_API_PORT: 'x', PRAETOR_REDIS_URL: 'y' });
    assert.throws(attempt, (error) => error instanceof SettingsError && error.message.split('\n').length === 2);
  });

  test('have names of their own', () => {
    const names = SETTINGS.flatMap(({ name, aliases }) => [name, ...aliases]);
    assert.equal(new Set(names).size, names.length);
  });
});
