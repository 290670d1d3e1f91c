import { isDeepStrictEqual } from 'node:util';
import { change } from '@praetor/orchestration/changes';
import { type CleanupConsumer, type CleanupPolicy, acknowledgeCleanup, releaseCleanup, renewCleanup, reserveCleanup, withdrawCleanup } from '@praetor/orchestration/cleanup-messages';
import type { Connection } from '@praetor/runtime/connection';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { WorkPool } from '@praetor/schema/work-pool';
import type { CleanupOperation, CleanupOperationFrame, CleanupOutcome, PoolSnapshot, WorkerFrame, WorkerHello, WorkerReady } from '@praetor/schema/worker-channel';
import type { GatewayContext } from '../../context.ts';
import { findWorkPool } from '../../work-pools/queries.ts';
import { noteHeartbeat } from '../../workers/changes.ts';
import { ChannelClosing } from './closing.ts';
import { receiveFrame, sendFrame } from './frames.ts';
import type { PoolListener } from './pool-watch.ts';

type HeartbeatFrame = Extract<WorkerFrame, { type: 'worker.heartbeat.v1' }>;

/** A change of one of these is told to workers at once; others they learn with their next heartbeat. */
const TOLD_AT_ONCE = ['base_job_template', 'concurrency_limit', 'is_paused', 'storage_configuration'] as const;

const OPERATIONS = { 'cleanup.ack.v1': 'ack', 'cleanup.renew.v1': 'renew', 'cleanup.release.v1': 'release' } as const satisfies Record<CleanupOperationFrame['type'], CleanupOperation>;

const NOT_DELIVERED_TO_IT: CleanupOutcome = { status: 'unauthorized', reason: 'cleanup_delivery_not_accepted', lease_expires_at: null };
const FAILED: CleanupOutcome = { status: 'error', reason: 'cleanup_queue_operation_failed', lease_expires_at: null };

/** The channel of one worker, from its greeting to its end. */
export class WorkerSession implements PoolListener {
  readonly #connection: Connection;
  readonly #context: GatewayContext;
  readonly #ready: WorkerReady;
  readonly #workerName: string;
  readonly #consumer: CleanupConsumer;
  readonly #policy: CleanupPolicy;
  /** The pool as the worker knows it. */
  #told: WorkPool;
  #sequence = 1;
  #isDelivering = false;
  seen: Timestamp;

  constructor(connection: Connection, context: GatewayContext, hello: WorkerHello, ready: WorkerReady) {
    this.#connection = connection;
    this.#context = context;
    this.#ready = ready;
    this.#workerName = hello.worker_name;
    this.#told = ready.initial_snapshot.work_pool;
    this.seen = this.#told.updated;
    this.#consumer = {
      consumerId: hello.consumer_id,
      workPoolId: this.#told.id,
      workQueueIds: ready.resolved_work_queues.map(({ id }) => id),
      kinds: hello.handled_cleanup_kinds,
      concurrency: ready.effective_max_cleanup_concurrency,
    };
    const { cleanupLeaseSeconds, cleanupMaxDeliveryAttempts } = context.settings.workerChannel;
    this.#policy = { leaseSeconds: cleanupLeaseSeconds, maxDeliveries: cleanupMaxDeliveryAttempts };
  }

  get workPoolId(): string {
    return this.#told.id;
  }

  /** Serves the worker until it leaves or the server stops. Throws ChannelClosing where the worker breaks the protocol. */
  async serve(): Promise<void> {
    for (let frame = await receiveFrame(this.#connection); frame; frame = await receiveFrame(this.#connection)) {
      if (frame.type === 'worker.hello.v1') throw new ChannelClosing('protocol_error');
      if (frame.type === 'worker.heartbeat.v1') await this.#noteHeartbeat(frame);
      else await this.#operate(frame);
    }
  }

  poolChanged(pool: WorkPool): void {
    this.seen = pool.updated;
    if (TOLD_AT_ONCE.some((field) => !isDeepStrictEqual(pool[field], this.#told[field]))) this.#tell('work_pool_updated', pool);
  }

  poolDeleted(): void {
    const { code, reason } = new ChannelClosing('authorization_failed');
    this.#connection.close(code, reason);
  }

  cleanupWaits(): void {
    this.#deliver().catch((error: unknown) => this.#context.logger.warn({ error, workPoolId: this.workPoolId }, 'clean-up work could not be delivered'));
  }

  #tell(reason: PoolSnapshot['reason'], pool: WorkPool): void {
    this.#told = pool;
    this.#sequence++;
    void sendFrame(this.#connection, 'work_pool.snapshot.v1', { snapshot_sequence: this.#sequence, reason, work_pool: pool });
  }

  async #noteHeartbeat({ payload }: HeartbeatFrame): Promise<void> {
    if (payload.consumer_id !== this.#ready.consumer_id || payload.worker_name !== this.#workerName) throw new ChannelClosing('protocol_error');
    const pool = await this.#storeHeartbeat(payload.heartbeat_interval_seconds);
    if (pool.updated !== this.#told.updated) this.#tell('heartbeat_reconciliation', pool);
  }

  /** The pool that the heartbeat was for. */
  async #storeHeartbeat(intervalSeconds: number): Promise<WorkPool> {
    try {
      return await change(this.#context, async (db, emit) => {
        await noteHeartbeat(db, emit, this.workPoolId, this.#workerName, intervalSeconds);
        const pool = await findWorkPool(db, this.#told.name);
        if (pool?.id !== this.workPoolId) throw new Error('the work pool is gone');
        return pool;
      });
    } catch (error) {
      throw new ChannelClosing('heartbeat_persistence_failed', { cause: error });
    }
  }

  /** Hands out clean-up work until there is none, or the worker has its hands full. */
  async #deliver(): Promise<void> {
    if (this.#consumer.concurrency === 0 || this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (!this.#connection.signal.aborted) {
        const { sql } = this.#context.database;
        const message = await reserveCleanup(sql, this.#consumer, this.#policy);
        if (message === undefined) return;
        // A worker that is leaving costs the message none of its deliveries.
        const isSent = !this.#connection.signal.aborted && (await sendFrame(this.#connection, 'cleanup.message.v1', message));
        if (!isSent) return await withdrawCleanup(sql, message.message_id, message.reservation_token);
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  async #operate(frame: CleanupOperationFrame): Promise<void> {
    const { message_id, reservation_token } = frame.payload;
    const operation = OPERATIONS[frame.type];
    const outcome = await this.#dispose(operation, message_id, reservation_token, 'reason' in frame.payload ? frame.payload.reason : '');
    await sendFrame(this.#connection, 'cleanup.operation_result.v1', { request_frame_id: frame.id, message_id, operation, ...outcome, detail: null });
    // Its hands are free again.
    if (operation !== 'renew' || outcome.status !== 'accepted') this.cleanupWaits();
  }

  async #dispose(operation: CleanupOperation, messageId: string, token: string, reason: string): Promise<CleanupOutcome> {
    if (this.#consumer.concurrency === 0) return NOT_DELIVERED_TO_IT;
    const { sql } = this.#context.database;
    const reservation = { workPoolId: this.workPoolId, messageId, token };
    try {
      if (operation === 'ack') return await acknowledgeCleanup(sql, reservation, this.#policy);
      if (operation === 'renew') return await renewCleanup(sql, reservation, this.#policy);
      return await releaseCleanup(sql, reservation, reason, this.#policy);
    } catch (error) {
      this.#context.logger.warn({ error, messageId, operation }, 'clean-up work could not be disposed of');
      return FAILED;
    }
  }
}
