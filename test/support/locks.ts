import type { Database } from '@praetor/database/connect';
import { until } from './poll.ts';

/** Waits until so many sessions of the database wait for a lock that another one holds. */
export async function untilBlocked({ sql }: Database, sessions = 1): Promise<void> {
  await until(`${sessions} sessions wait for a lock`, async () => {
    const waiting = await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return waiting.length >= sessions;
  });
}
