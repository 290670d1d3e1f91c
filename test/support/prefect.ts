import { execFile } from 'node:child_process';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { HomeInUseError, lockHome } from '@praetor/database/embedded/home-lock';
import { until } from './poll.ts';

const run = promisify(execFile);

const CACHE = path.join(import.meta.dirname, '..', '..', '.cache');
const INSTALL_SECONDS = 600;

export type PrefectVersion = '3.9.1' | '3.8.8';

/*
 * Versions that run together; the newest dependencies break Prefect (facts/README.md, "Test environment warning"). 3.9.1
 * asks for a certifi that is not on every registry yet, so it is laid over the dependencies of 3.8.8.
 */
const PINS = ['prefect==3.8.8', 'fastapi==0.141.1', 'starlette==1.3.1', 'sqlalchemy==2.0.45'];
const OVERLAY = ['whenever>=0.10.5,<0.12'];

/** Where the executables of one installed Prefect are. */
export interface PrefectInstallation {
  version: PrefectVersion;
  python: string;
  prefect: string;
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

/** The real Prefect cannot be installed here, through no fault of ours. */
class NoPrefectError extends Error {
  override readonly name = 'NoPrefectError';
}

/** What a virtual environment needs: Debian has venv without ensurepip where python3-venv is missing. */
const CHECK_PYTHON = 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))';

async function install(folder: string, version: PrefectVersion): Promise<void> {
  const pip = path.join(folder, 'bin', 'pip');
  const quiet = ['install', '--quiet', '--disable-pip-version-check'];
  await run('python3', ['-c', CHECK_PYTHON]).catch((cause: unknown) => {
    throw new NoPrefectError('needs Python 3.10 or newer, with venv and ensurepip', { cause });
  });
  await run('python3', ['-m', 'venv', folder]);
  // pip is asked, not the network: it knows of mirrors and proxies.
  await run(pip, ['index', 'versions', 'prefect', '--retries', '0', '--timeout', '20']).catch((cause: unknown) => {
    throw new NoPrefectError('needs PyPI, or a mirror that pip knows', { cause });
  });
  await run(pip, [...quiet, ...PINS]);
  if (version !== '3.8.8') await run(pip, [...quiet, '--no-deps', `prefect==${version}`]);
  await run(pip, [...quiet, ...OVERLAY]);
  await run(path.join(folder, 'bin', 'python'), ['-c', 'import prefect.flows']);
}

/** Installs unless that was done; false while another process does it. Its lock dies with it, however it dies. */
async function tryInstall(folder: string, version: PrefectVersion): Promise<boolean> {
  const mark = path.join(folder, 'complete');
  if (await exists(mark)) return true;
  const lock = `${folder}-lock`;
  await mkdir(lock, { recursive: true });
  try {
    using _lock = lockHome(lock);
    if (await exists(mark)) return true;
    await rm(folder, { recursive: true, force: true });
    await install(folder, version);
    await writeFile(mark, '');
    return true;
  } catch (error) {
    if (error instanceof HomeInUseError) return false;
    throw error;
  }
}

/** The real Prefect of a version in a virtual environment below `.cache`, installed on first use (about a minute), once for all test files. */
export async function installPrefect(version: PrefectVersion): Promise<PrefectInstallation> {
  const folder = path.join(CACHE, `prefect-${version}`);
  await until(`another test has installed Prefect ${version}`, () => tryInstall(folder, version), INSTALL_SECONDS);
  return { version, python: path.join(folder, 'bin', 'python'), prefect: path.join(folder, 'bin', 'prefect') };
}

/** Why these versions cannot be used here, for `skip` of node:test; false where they are installed, which is done here. */
export async function skipWithoutPrefect(...versions: readonly PrefectVersion[]): Promise<string | false> {
  try {
    for (const version of versions) await installPrefect(version);
    return false;
  } catch (error) {
    if (error instanceof NoPrefectError) return error.message;
    throw error;
  }
}
