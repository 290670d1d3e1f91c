import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { toJson } from '@praetor/schema/json';
import type { Settings } from '@praetor/schema/settings';
import { type FernetKey, generateFernetKey, parseFernetKey } from './fernet.ts';

/** Prefect's own key in table `configuration`. */
const CONFIGURATION_KEY = 'ENCRYPTION_KEY';

async function findKey(db: Kysely<Tables>): Promise<string | undefined> {
  const row = await db.selectFrom('configuration').select('value').where('key', '=', CONFIGURATION_KEY).executeTakeFirst();
  const key = row?.value['fernet_key'];
  return typeof key === 'string' ? key : undefined;
}

/**
 * The key of all block documents: of the setting, or else the one in the database, which the first to need it makes. Of
 * several that make one at once, the first to store it wins and the others use its key.
 */
export async function readEncryptionKey(db: Kysely<Tables>, settings: Settings): Promise<FernetKey> {
  const known = settings.encryptionKey ?? (await findKey(db));
  if (known !== undefined) return parseFernetKey(known);
  await db
    .insertInto('configuration')
    .values({ key: CONFIGURATION_KEY, value: toJson({ fernet_key: generateFernetKey() }) })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  const stored = await findKey(db);
  if (stored === undefined) throw new Error(`Row ${CONFIGURATION_KEY} of table configuration holds no Fernet key.`);
  return parseFernetKey(stored);
}
