import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { addSeconds, now } from '@praetor/schema/timestamps';

/** A fresh token for a client; it replaces the client's former one. Tokens that have expired go on this occasion: most clients never return. */
export async function createCsrfToken(db: Kysely<Tables>, client: string, lifetimeSeconds: number) {
  const token = randomBytes(32).toString('hex');
  const moment = now();
  const expiration = addSeconds(moment, lifetimeSeconds);
  const expired = db.selectFrom('csrf_token').select('id').where('expiration', '<', moment).where('client', '<>', client).forUpdate().skipLocked();
  await db.deleteFrom('csrf_token').where('id', 'in', expired).execute();
  return await db
    .insertInto('csrf_token')
    .values({ client, token, expiration })
    .onConflict((conflict) => conflict.column('client').doUpdateSet({ token, expiration }))
    .returning(['id', 'created', 'updated', 'token', 'client', 'expiration'])
    .executeTakeFirstOrThrow();
}

/** True when the client's token is this one and has not expired. */
export async function isCsrfTokenValid(db: Kysely<Tables>, client: string, token: string): Promise<boolean> {
  const row = await db
    .selectFrom('csrf_token')
    .select('id')
    .where('client', '=', client)
    .where('token', '=', token)
    .where('expiration', '>', now())
    .executeTakeFirst();
  return row !== undefined;
}
