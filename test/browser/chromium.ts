import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const run = promisify(execFile);

const EXECUTABLES = [process.env['PRAETOR_TEST_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const INSTALL_MS = 300_000;

/*
 * Chromium looks for updates and other hosts of its makers unless told not to, and its sandbox does not run as root. No host
 * but this machine has an address. (Routes of Playwright would keep others away too, but turn off the cache.)
 */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

async function findExecutable(): Promise<string | undefined> {
  for (const file of EXECUTABLES) {
    if (file === undefined) continue;
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}

/** Debian's package, where this process may install one. */
async function install(): Promise<void> {
  const options = { timeout: INSTALL_MS, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  await run('apt-get', ['update'], options);
  await run('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], options);
}

/** The path of a Chromium, installed first where that is possible; undefined where there is none. */
export async function provideChromium(): Promise<string | undefined> {
  const found = await findExecutable();
  if (found !== undefined || process.getuid?.() !== 0) return found;
  await install().catch((error: unknown) => process.stderr.write(`cannot install Chromium: ${String(error)}\n`));
  return await findExecutable();
}

export async function launch(executablePath: string): Promise<Browser> {
  return await chromium.launch({ executablePath, args: FLAGS });
}
