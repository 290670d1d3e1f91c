import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user a program shall run as, and how it is started so. */
export interface Launcher {
  /** Program and arguments that start another program. */
  readonly prefix: readonly string[];
  /** The owner that files must have; undefined: whoever we are. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Given to `spawn`. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
}

const NOBODY = { uid: 65_534, gid: 65_534 };

const DIRECT: Launcher = { prefix: [], owner: undefined, identity: {} };

/** Root only in name: the program believes to be user 1000, and its files are root's. Containers often forbid it. */
const IN_USER_NAMESPACE: Launcher = { prefix: ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'], owner: undefined, identity: {} };

/** Another user who, as root, may walk through folders that are closed to him (such as /root). */
function asUserWithAccess({ uid, gid }: { uid: number; gid: number }): Launcher {
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return { prefix: ['setpriv', ...identity, '--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'], owner: { uid, gid }, identity: {} };
}

function asUser({ uid, gid }: { uid: number; gid: number }): Launcher {
  return { prefix: [], owner: { uid, gid }, identity: { uid, gid } };
}

/** Ways to run Postgres, which refuses root, best first. Root runs it as the owner of existing data. */
function listLaunchers(dataOwner: { uid: number; gid: number } | undefined): Launcher[] {
  if (process.getuid?.() !== 0) return [DIRECT];
  if (dataOwner !== undefined && dataOwner.uid !== 0) return [asUserWithAccess(dataOwner), asUser(dataOwner)];
  return [IN_USER_NAMESPACE, asUserWithAccess(NOBODY), asUser(NOBODY)];
}

/** The first way that works here, tried on `program --version`. Throws the last failure where none does. */
export async function chooseLauncher(program: string, dataOwner: { uid: number; gid: number } | undefined): Promise<Launcher> {
  let failure: unknown;
  for (const launcher of listLaunchers(dataOwner)) {
    const [file = program, ...parameters] = [...launcher.prefix, program, '--version'];
    try {
      await run(file, parameters, launcher.identity);
      return launcher;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
