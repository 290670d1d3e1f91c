import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another living process works on the data folder. */
export class HomeInUseError extends Error {
  override readonly name = 'HomeInUseError';
}

/**
 * Keeps a data folder for this process until disposed of; throws HomeInUseError while another process keeps it. The lock is
 * the kernel's lock on a file, which Node can only take through its SQLite: it dies with its owner, however that dies, and
 * two processes that take over at once cannot both win, as they could with a file that names a process.
 */
export function lockHome(home: string): Disposable {
  const file = new DatabaseSync(join(home, 'lock'));
  const owner = join(home, 'pid');
  try {
    file.exec('pragma busy_timeout = 0; begin exclusive');
  } catch (cause) {
    file.close();
    throw new HomeInUseError(`${home} is in use by process ${readOwner(owner)}: stop it, or choose another folder with --home.`, { cause });
  }
  writeFileSync(owner, `${process.pid}\n`);
  return {
    [Symbol.dispose]() {
      rmSync(owner, { force: true });
      file.close();
    },
  };
}

/** Only for the message; the owner may not have written it yet. */
function readOwner(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim() || '?';
  } catch {
    return '?';
  }
}
