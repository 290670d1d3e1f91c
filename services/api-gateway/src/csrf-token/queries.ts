import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { addSeconds, now } from '@praetor/schema/timestamps';

/** A fresh token for a client; it replaces the client's former one. */
export async function createCsrfToken(db: Kysely<Tables>, client: string, lifetimeSeconds: number) {
  const token = randomBytes(32).toString('hex');
  const expiration = addSeconds(now(), lifetimeSeconds);
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
