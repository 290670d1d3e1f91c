import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { loadSettings } from '@praetor/runtime/settings';
import { SettingsError } from '@praetor/schema/setting';

describe('loadSettings', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(path.join(tmpdir(), 'praetor-settings-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  const write = (file: string, text: string) => writeFileSync(path.join(cwd, file), text);
  const load = (env: NodeJS.ProcessEnv = {}, argv: string[] = []) => loadSettings({ cwd, env, argv });

  test('reads each source, the more particular one first', () => {
    write('prefect.toml', '[server.api]\nport = 1\nhost = "a"\n[server.services.late_runs]\nloop_seconds = 1.5\n[server.logs]\nstream_out_enabled = true\n[client]\nmax_retries = 3');
    assert.equal(load().api.port, 1);
    assert.equal(load().services.lateRuns.loopSeconds, 1.5);
    assert.equal(load().logs.streamOutEnabled, true);
    write('praetor.toml', '[server.api]\nport = 2\n[praetor]\nhome = "/data"\n[praetor.redis]\nurl = "redis://r"');
    assert.deepEqual([load().api.port, load().api.host, load().home, load().redis.url], [2, 'a', '/data', 'redis://r']);
    write('.env', '# ours\nPREFECT_SERVER_API_PORT=3\nPREFECT_SERVER_API_AUTH_STRING="user:pass word"\n');
    assert.deepEqual([load().api.port, load().api.authString], [3, 'user:pass word']);
    assert.equal(load({ PREFECT_SERVER_API_PORT: '4' }).api.port, 4);
    assert.equal(load({ PREFECT_SERVER_API_PORT: '4' }, ['--port', '5']).api.port, 5);
  });

  test('takes --host and --home, and finds home', () => {
    const { api, home } = load({}, ['--host', '0.0.0.0', '--home=~/data']);
    assert.deepEqual([api.host, home], ['0.0.0.0', path.join(homedir(), 'data')]);
    assert.equal(load().home, path.join(homedir(), '.praetor'));
  });

  test('a former name in the environment wins over the present one in a file', () => {
    write('prefect.toml', '[server.database]\nsqlalchemy_pool_size = 3');
    assert.equal(load().database.poolSize, 3);
    assert.equal(load({ PREFECT_SQLALCHEMY_POOL_SIZE: '4' }).database.poolSize, 4);
  });

  test('fallbacks count where nobody says anything', () => {
    const poolSize = (env: NodeJS.ProcessEnv) => loadSettings({ cwd, env, argv: [], fallbacks: { PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: 4 } }).database.poolSize;
    assert.deepEqual([poolSize({}), poolSize({ PREFECT_SQLALCHEMY_POOL_SIZE: '10' })], [4, 10]);
  });

  test('an empty variable hides nothing', () => {
    write('.env', 'PREFECT_SERVER_API_PORT=3');
    assert.equal(load({ PREFECT_SERVER_API_PORT: '' }).api.port, 3);
  });

  test('names the file that cannot be read, the flag and the variable that are wrong', () => {
    assert.throws(() => load({}, ['--prot', '1']), (error) => error instanceof SettingsError && error.message.includes('--prot'));
    assert.throws(() => load({}, ['--port', 'x']), (error) => error instanceof SettingsError && error.message.startsWith('PREFECT_SERVER_API_PORT: '));
    write('prefect.toml', 'port = = 1');
    assert.throws(() => load(), (error) => error instanceof SettingsError && error.message.includes('prefect.toml'));
  });
});
