import { z } from 'zod';
import { type JsonObject } from './json.ts';
import { boolean, integer, jsonObject, timestamp, uuid } from './primitives.ts';
import type { Timestamp } from './timestamps.ts';
import type { WorkPool } from './work-pool.ts';

/*
 * The frames of the worker channel (facts/hidden-endpoints.md §9): a worker keeps one socket open instead of sending
 * heartbeats and reading its pool by REST, and is handed clean-up work through it. What a worker sends is validated here
 * to the letter, because anything else ends its connection for good; what it is sent is only typed.
 */

export const CHANNEL_VERSION = 'work_pool_worker_channel.v1';

const HEARTBEAT = 'worker_heartbeat.v1';
const SNAPSHOT = 'work_pool_snapshot.v1';
const CLEANUP = 'cleanup_delivery.v1';
type Capability = typeof HEARTBEAT | typeof SNAPSHOT | typeof CLEANUP;

/** What a worker can clean up: what a run left behind that nobody confirmed as cancelled, and what a lost claim left. */
export const cleanupKind = z.enum(['cancelling_timeout_teardown.v1', 'pending_claim_teardown.v1']);
export type CleanupKind = z.output<typeof cleanupKind>;

const filled = () => z.string().min(1);
const positive = () => integer((number) => number.positive());

const frame = <Type extends string, Payload extends z.ZodType>(type: Type, payload: Payload) =>
  z.strictObject({ type: z.literal(type), id: uuid(), sent_at: timestamp(), payload });

const hello = z
  .strictObject({
    consumer_id: uuid(),
    worker_name: filled(),
    worker_type: filled(),
    heartbeat_interval_seconds: positive(),
    supported_channel_versions: z.array(filled()).min(1),
    requested_capabilities: z.array(filled()).min(1),
    work_queue_names: z.array(filled()).default([]),
    handled_cleanup_kinds: z.array(cleanupKind).default([]),
    max_cleanup_concurrency: integer((number) => number.min(0)).optional(),
    create_pool_if_not_found: boolean().default(false),
    default_base_job_template: jsonObject().default({}),
    worker_metadata: jsonObject().nullable().default(null),
  })
  .refine(({ requested_capabilities: requested }) => requested.includes(HEARTBEAT) && requested.includes(SNAPSHOT), 'A capability that every worker must have is missing.')
  .refine(
    ({ requested_capabilities: requested, handled_cleanup_kinds: kinds, max_cleanup_concurrency: most = 0 }) => requested.includes(CLEANUP) || (kinds.length === 0 && most === 0),
    'Clean-up work is only for workers that ask for its delivery.',
  )
  // One at a time, for a worker that names kinds but no number.
  .transform((payload) => ({ ...payload, max_cleanup_concurrency: payload.max_cleanup_concurrency ?? Math.min(1, payload.handled_cleanup_kinds.length) }));

const reservation = { message_id: uuid(), reservation_token: filled() };

const helloFrame = frame('worker.hello.v1', hello);
export type WorkerHello = z.output<typeof hello>;

/** Anything that a worker may send. */
export const workerFrame = z.discriminatedUnion('type', [
  helloFrame,
  frame('worker.heartbeat.v1', z.strictObject({ consumer_id: uuid(), worker_name: filled(), heartbeat_interval_seconds: positive() })),
  frame('cleanup.ack.v1', z.strictObject(reservation)),
  frame('cleanup.renew.v1', z.strictObject(reservation)),
  frame('cleanup.release.v1', z.strictObject({ ...reservation, reason: filled() })),
]);
export type WorkerFrame = z.output<typeof workerFrame>;
export type CleanupOperationFrame = Extract<WorkerFrame, { type: `cleanup.${string}` }>;

/** True where the worker asks for clean-up work and is able to do some. */
export function wantsCleanup({ requested_capabilities, handled_cleanup_kinds, max_cleanup_concurrency }: WorkerHello): boolean {
  return requested_capabilities.includes(CLEANUP) && handled_cleanup_kinds.length > 0 && max_cleanup_concurrency > 0;
}

/** Which of the requested capabilities a worker gets, and which it does not. */
export function grantCapabilities(payload: WorkerHello): { accepted: Capability[]; rejected: string[] } {
  const accepted: Capability[] = [HEARTBEAT, SNAPSHOT, ...(wantsCleanup(payload) ? [CLEANUP] as const : [])];
  const rejected = new Set(payload.requested_capabilities).difference(new Set<string>(accepted));
  return { accepted, rejected: [...rejected] };
}

export interface PoolSnapshot {
  /** 1 at the greeting, then one more each time. */
  snapshot_sequence: number;
  reason: 'initial' | 'work_pool_updated' | 'heartbeat_reconciliation';
  work_pool: WorkPool;
}

export interface WorkerReady {
  consumer_id: string;
  /** Prefect's open-source server never tells it. */
  worker_id: null;
  selected_channel_version: typeof CHANNEL_VERSION;
  effective_heartbeat_interval_seconds: number;
  accepted_capabilities: Capability[];
  rejected_capabilities: string[];
  effective_max_cleanup_concurrency: number;
  resolved_work_queues: { id: string; name: string }[];
  initial_snapshot: PoolSnapshot;
}

/** A piece of clean-up work, reserved for the worker that gets it until the lease expires. */
export interface CleanupMessage {
  message_id: string;
  kind: CleanupKind;
  reservation_token: string;
  lease_expires_at: Timestamp;
  delivery_count: number;
  work_queue_id: string | null;
  target: JsonObject;
  data: JsonObject;
}

export type CleanupOperation = 'ack' | 'release' | 'renew';
export type CleanupStatus = 'accepted' | 'not_current' | 'not_found' | 'expired' | 'invalid_token' | 'unauthorized' | 'dead_lettered' | 'error';

/** What became of a worker's answer to a piece of clean-up work. */
export interface CleanupOutcome {
  status: CleanupStatus;
  /** Null exactly where the answer was accepted. */
  reason: string | null;
  /** Of an accepted renewal, else null. */
  lease_expires_at: Timestamp | null;
}

export interface CleanupOperationResult extends CleanupOutcome {
  request_frame_id: string;
  message_id: string;
  operation: CleanupOperation;
  detail: null;
}

/** Anything that a worker is sent, by the type of its frame. */
export interface ServerPayloads {
  'worker.ready.v1': WorkerReady;
  'work_pool.snapshot.v1': PoolSnapshot;
  'cleanup.message.v1': CleanupMessage;
  'cleanup.operation_result.v1': CleanupOperationResult;
}
