import type { Kysely } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { type Emit, change } from '@praetor/orchestration/changes';
import { findDefaultMisfit } from '@praetor/parameters/job-variables';
import type { WorkPool } from '@praetor/schema/work-pool';
import { workPoolCreate } from '@praetor/schema/work-pool';
import { CHANNEL_VERSION, type WorkerHello, type WorkerReady, grantCapabilities, wantsCleanup } from '@praetor/schema/worker-channel';
import type { GatewayContext } from '../../context.ts';
import { changeWorkPool, createWorkPool } from '../../work-pools/changes.ts';
import { findWorkPool } from '../../work-pools/queries.ts';
import { isReservedName } from '../../work-pools/reserved-names.ts';
import { noteHeartbeat } from '../../workers/changes.ts';
import { ChannelClosing } from './closing.ts';

/* The answer to a worker's hello, with all that it entails: its pool, its first heartbeat (facts/hidden-endpoints.md §9). */

/** What is wrong with a template that a worker brings ends the channel as Prefect ends it: as the server's trouble, or the worker's. */
function checkTemplate(template: WorkerHello['default_base_job_template']): void {
  if (!workPoolCreate.shape.base_job_template.safeParse(template).success) throw new ChannelClosing('transient_server_error');
  if (findDefaultMisfit(template) !== undefined) throw new ChannelClosing('protocol_error');
}

async function createMissingPool(db: Kysely<Tables>, emit: Emit, name: string, hello: WorkerHello): Promise<WorkPool | undefined> {
  if (!hello.create_pool_if_not_found || isReservedName(name)) throw new ChannelClosing('authorization_failed');
  const template = hello.default_base_job_template;
  checkTemplate(template);
  const create = workPoolCreate.safeParse({ name, type: hello.worker_type, base_job_template: template });
  if (!create.success) throw new ChannelClosing('transient_server_error');
  return await createWorkPool(db, emit, create.data);
}

/** The worker's pool, created or given the worker's template where it has none. */
async function providePool(db: Kysely<Tables>, emit: Emit, name: string, hello: WorkerHello): Promise<WorkPool> {
  // Created by another worker in this very moment, it is there now.
  const pool = (await findWorkPool(db, name)) ?? (await createMissingPool(db, emit, name, hello)) ?? (await findWorkPool(db, name));
  if (pool === undefined) throw new ChannelClosing('transient_server_error');
  const template = hello.default_base_job_template;
  if (Object.keys(pool.base_job_template).length === 0 && Object.keys(template).length > 0) {
    checkTemplate(template);
    await changeWorkPool(db, emit, name, { base_job_template: template });
  }
  return pool;
}

async function findQueues(db: Kysely<Tables>, workPoolId: string, names: readonly string[]): Promise<WorkerReady['resolved_work_queues']> {
  const queues = await db.selectFrom('work_queue').select(['id', 'name']).where('work_pool_id', '=', workPoolId).orderBy('priority').execute();
  if (names.length === 0) return queues;
  const byName = new Map(queues.map((queue) => [queue.name, queue]));
  return [...new Set(names)].map((name) => {
    const queue = byName.get(name);
    if (queue === undefined) throw new ChannelClosing('authorization_failed');
    return queue;
  });
}

/** Admits a worker to its pool; gives what it is told. Throws ChannelClosing, and then nothing has changed. */
export function greet(context: GatewayContext, poolName: string, hello: WorkerHello): Promise<WorkerReady> {
  if (!hello.supported_channel_versions.includes(CHANNEL_VERSION)) throw new ChannelClosing('unsupported_version');
  return change(context, async (db, emit) => {
    const { id } = await providePool(db, emit, poolName, hello);
    const queues = await findQueues(db, id, hello.work_queue_names);
    try {
      await noteHeartbeat(db, emit, id, hello.worker_name, hello.heartbeat_interval_seconds);
    } catch (error) {
      throw new ChannelClosing('heartbeat_persistence_failed', { cause: error });
    }
    const pool = await findWorkPool(db, poolName);
    if (pool === undefined) throw new ChannelClosing('transient_server_error');
    const { accepted, rejected } = grantCapabilities(hello);
    return {
      consumer_id: hello.consumer_id,
      worker_id: null,
      selected_channel_version: CHANNEL_VERSION,
      effective_heartbeat_interval_seconds: hello.heartbeat_interval_seconds,
      accepted_capabilities: accepted,
      rejected_capabilities: rejected,
      effective_max_cleanup_concurrency: wantsCleanup(hello) ? hello.max_cleanup_concurrency : 0,
      resolved_work_queues: queues,
      initial_snapshot: { snapshot_sequence: 1, reason: 'initial', work_pool: pool },
    };
  });
}
