import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Database } from '@praetor/database/connect';
import { type EmbeddedDatabase, openEmbedded } from '@praetor/database/embedded';
import { migrate } from '@praetor/database/migrate';
import { NOBODY, skipWithoutOrdinaryUser } from '@praetor/test/support/ordinary-user';
import { until } from '@praetor/test/support/poll';

const skipOrdinary = await skipWithoutOrdinaryUser();

const folders: string[] = [];
async function createHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'praetor-home-'));
  folders.push(home);
  return home;
}
const started: number[] = [];
after(async () => {
  for (const pid of started) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

interface Opened {
  child: ChildProcess;
  url: string;
  kind: string;
  pids: number[];
  error?: string;
  warnings: string[];
}

/** Opens the database of `home` in another process. */
async function openElsewhere(home: string, kind = '', options: { env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {}): Promise<Opened> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'embedded-process.ts'), home, kind], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const warnings: string[] = [];
  createInterface(child.stderr).on('line', (line) => warnings.push(line));
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit').then(() => [`{"error": "${warnings.join(' ')}"}`])]);
  const opened: Opened = { pids: [], ...JSON.parse(line), child, warnings };
  started.push(...opened.pids, ...(child.pid === undefined ? [] : [child.pid]));
  return opened;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const open = (home: string): Promise<EmbeddedDatabase> => openEmbedded({ home, log: () => {} });
const connectTo = ({ url }: { url: string }): Database => connect(url, { poolSize: 4, statementTimeoutSeconds: 10, applicationName: 'test' });

/** Commits one more row, and gives their count. */
async function addRow(database: { url: string }): Promise<number> {
  await using connection = connectTo(database);
  await connection.sql`create table if not exists kept (n serial)`;
  await connection.sql`insert into kept default values`;
  return (await connection.sql`select from kept`).length;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the embedded database of a folder', () => {
  let home: string;
  let rows = 0;
  before(async () => {
    home = await createHome();
  });

  test('keeps its data from one start to the next, and migrates', async () => {
    {
      await using database = await open(home);
      assert.equal(database.kind, 'postgres');
      await using connection = connectTo(database);
      await migrate(connection);
      assert.equal(await addRow(database), ++rows);
      assert.ok(isAlive(database.pids[0] ?? 0));
    }
    await using database = await open(home);
    assert.equal(await addRow(database), ++rows);
    await using connection = connectTo(database);
    await connection.sql`insert into flow (name) values ('ünï')`;
    assert.deepEqual(await connection.sql`select upper(name) as name from flow`, [{ name: 'ÜNÏ' }]);
  });

  test('ends its process with itself', async () => {
    const { child, pids } = await openElsewhere(home);
    child.kill('SIGTERM');
    await once(child, 'exit');
    assert.deepEqual(pids.map(isAlive), [false]);
  });

  test('is only for its owner, and for one process at a time', async () => {
    await using database = await open(home);
    await using connection = connectTo(database);
    assert.deepEqual(await connection.sql`show listen_addresses`, [{ listen_addresses: '' }]);
    assert.equal((await stat(join(home, 'socket'))).mode & 0o777, 0o700);
    await assert.rejects(open(home), { name: 'HomeInUseError', message: new RegExp(`${home} is in use by process ${process.pid}: `) });
    const { error } = await openElsewhere(home);
    assert.match(error ?? '', new RegExp(`is in use by process ${process.pid}: `));
  });

  test('survives kill -9 of its owner, whose place is taken', async () => {
    const killed = await openElsewhere(home);
    assert.equal(await addRow(killed), ++rows);
    await kill(killed.child);
    await using database = await open(home);
    await until('the process left behind has ended', async () => !killed.pids.some(isAlive));
    assert.equal(await addRow(database), ++rows);
  });

  test('survives kill -9 of its process, which is started again', async () => {
    const warnings: string[] = [];
    await using database = await openEmbedded({ home, log: (line) => warnings.push(line) });
    await using connection = connectTo(database);
    for (let death = 1; death <= 3; death++) {
      assert.equal(await addRow(database), ++rows);
      // A connection that is at work keeps the dead server's memory for a moment.
      const busy = Promise.resolve(connection.sql`select count(*) from generate_series(1, ${3_000_000})`).catch(() => {});
      process.kill(database.pids[0] ?? 0, 'SIGKILL');
      await busy;
      await until('it runs again', async () => (await connection.sql`select ${1}::integer`.then(() => true, () => false)) && database.pids.length === 1);
    }
    assert.match(warnings[0] ?? '', /^The embedded Postgres ended \(SIGKILL\) and is started again/);
    assert.equal(await addRow(database), ++rows);
  });

  test('says once what keeps it from starting again, and starts when that is over', async () => {
    const warnings: string[] = [];
    await using database = await openEmbedded({ home, log: (line) => warnings.push(line) });
    const version = join(home, 'postgres', 'PG_VERSION');
    const right = await readFile(version, 'utf8');
    await writeFile(version, '17\n');
    process.kill(database.pids[0] ?? 0, 'SIGKILL');
    await until('it is told', async () => warnings.some((line) => line.includes('initialized by PostgreSQL version 17')));
    // Some more attempts are made meanwhile.
    await sleep(500);
    await writeFile(version, right);
    await until('it runs again', async () => database.pids.length === 1);
    assert.equal(warnings.filter((line) => line.includes('initialized by PostgreSQL version 17')).length, 1);
    assert.equal(await addRow(database), ++rows);
  });

  test('survives kill -9 of both', async () => {
    const killed = await openElsewhere(home);
    assert.equal(await addRow(killed), ++rows);
    for (const pid of killed.pids) process.kill(pid, 'SIGKILL');
    await kill(killed.child);
    await using database = await open(home);
    assert.equal(await addRow(database), ++rows);
  });

  test('is not fooled by a process that has the number of its dead one', async () => {
    const killed = await openElsewhere(home);
    for (const pid of killed.pids) process.kill(pid, 'SIGKILL');
    await kill(killed.child);
    const file = join(home, 'postgres', 'postmaster.pid');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^\d+/, String(process.pid)));
    await using database = await open(home);
    assert.equal(await addRow(database), ++rows);
  });
});

describe('an embedded database', () => {
  test('lets one of several win that start at once', async () => {
    const home = await createHome();
    const opened = await Promise.all([openElsewhere(home), openElsewhere(home), openElsewhere(home)]);
    assert.equal(opened.filter(({ error }) => error === undefined).length, 1);
    assert.equal(opened.filter(({ error }) => error?.includes('is in use by process')).length, 2);
    for (const { child } of opened) if (child.exitCode === null) await kill(child);
    await using database = await open(home);
    assert.equal(await addRow(database), 1);
  });

  test('begins anew where its first start was cut short', async () => {
    const home = await createHome();
    await mkdir(join(home, 'postgres.new'));
    await writeFile(join(home, 'postgres.new', 'PG_VERSION'), '18\n');
    await using database = await open(home);
    assert.equal(await addRow(database), 1);
  });

  test('has its socket elsewhere where the path of its folder is long', async () => {
    const home = join(await createHome(), 'a-name-of-some-length/'.repeat(6));
    await using database = await open(home);
    assert.equal(await addRow(database), 1);
  });

  test('tells why it cannot start with existing data, and does not begin an empty database', async () => {
    const home = await createHome();
    await (await open(home))[Symbol.asyncDispose]();
    await writeFile(join(home, 'postgres', 'PG_VERSION'), '17\n');
    await assert.rejects(openEmbedded({ home, log: () => {} }), /initialized by PostgreSQL version 17/);
  });

  test('as PGlite keeps its data too, also after kill -9, and stays PGlite', async () => {
    const home = await createHome();
    const killed = await openElsewhere(home, 'pglite');
    assert.equal(killed.kind, 'pglite');
    assert.equal(await addRow(killed), 1);
    await kill(killed.child);
    await using database = await open(home);
    assert.equal(database.kind, 'pglite');
    await using connection = connectTo(database);
    assert.deepEqual(await connection.sql`select count(*) from kept`, [{ count: 1 }]);
    await migrate(connection);
    const busy = Promise.resolve(connection.sql`select count(*) from generate_series(1, ${1_000_000})`);
    assert.equal(await connection.isReachable(), true);
    await busy;
    assert.equal(await connection.isReachable(), true);
    const addFlow = (name: string) => connection.sql.begin((transaction) => Promise.resolve(transaction`insert into flow (name) values (${name})`));
    await Promise.all(Array.from({ length: 20 }, (_, n) => addFlow(`flow ${n}`)));
    assert.deepEqual(await connection.sql`select count(*), ${'1.5 seconds'}::interval as interval from flow`, [{ count: 20, interval: 1.5 }]);
  });
});

// What root has to do to run what refuses root, and to become an ordinary user.
describe('an embedded database as root', { skip: process.getuid?.() === 0 ? false : 'needs root' }, () => {
  test('becomes PGlite, and says so in one line, where Postgres cannot run', async () => {
    const home = await createHome();
    // Without these programs root can only become another user who may not enter the folder.
    const opened = await openElsewhere(home, '', { env: { ...process.env, PATH: '/nowhere' } });
    assert.equal(opened.kind, 'pglite');
    assert.equal(opened.warnings.length, 1);
    assert.match(opened.warnings[0] ?? '', /^Postgres cannot run here \(.*denied.*\): using PGlite/);
    await kill(opened.child);
  });

  test('runs for an ordinary user', { skip: skipOrdinary }, async () => {
    const home = await createHome();
    await chown(home, NOBODY.uid, NOBODY.gid);
    const opened = await openElsewhere(home, 'postgres', NOBODY);
    assert.equal(opened.error, undefined);
    assert.equal(await addRow(opened), 1);
    opened.child.kill('SIGTERM');
    await once(opened.child, 'exit');
    // Root may go on with it, and gives it back as it was.
    {
      await using database = await open(home);
      assert.equal(await addRow(database), 2);
    }
    assert.equal((await stat(join(home, 'postgres'))).uid, NOBODY.uid);
    const again = await openElsewhere(home, 'postgres', NOBODY);
    assert.equal(again.error, undefined);
    assert.equal(await addRow(again), 3);
    await kill(again.child);
    await using _database = await open(home);
  });

  test('runs for root in closed folders, with or without user namespaces', async () => {
    const home = await createHome();
    await chmod(home, 0o700);
    const programs = await createHome();
    await symlink('/usr/bin/setpriv', join(programs, 'setpriv'));
    const opened = await openElsewhere(home, 'postgres', { env: { ...process.env, PATH: programs } });
    assert.equal(opened.error, undefined);
    assert.equal(await addRow(opened), 1);
    await kill(opened.child);
    await using database = await open(home);
    assert.equal(await addRow(database), 2);
  });
});
