import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Who owns nothing and may do what everybody may. */
export const NOBODY = { uid: 65_534, gid: 65_534 };

/** Why tests cannot run our processes as an ordinary user, for `skip` of node:test; false where they can. */
export async function skipWithoutOrdinaryUser(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root, who may become an ordinary user';
  // Neither this file nor Node itself can be read by others where they are below /root, say.
  const readThisFile = promisify(execFile)(process.execPath, ['-e', `fs.readFileSync(${JSON.stringify(import.meta.filename)})`], NOBODY);
  return await readThisFile.then(
    () => false,
    () => 'needs a clone that ordinary users may read',
  );
}
