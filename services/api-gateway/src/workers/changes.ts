import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import type { Emit } from '@praetor/orchestration/changes';
import { markPoolAlive } from '@praetor/orchestration/readiness';
import { recordHeartbeat } from './queries.ts';

/** Notes a worker's sign of life, which makes its pool READY. */
export async function noteHeartbeat(db: Kysely<Tables>, emit: Emit, workPoolId: string, name: string, intervalSeconds: number | null): Promise<void> {
  await recordHeartbeat(db, workPoolId, name, intervalSeconds);
  for (const event of await markPoolAlive(db, workPoolId)) emit(event);
}
