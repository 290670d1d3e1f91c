import { z } from 'zod';
import { boolean, integer, json, orNull, timestamp, uuid } from './primitives.ts';
import { type Timestamp, fromMicroseconds, now, parseTimestamp } from './timestamps.ts';

/* States of flow runs and task runs, and the answers to a proposal (facts/orchestration.md §1–§2). */

export const stateType = z
  .enum(['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'])
  .meta({ id: 'StateType' });
export type StateType = z.output<typeof stateType>;

export const TERMINAL_STATE_TYPES: readonly StateType[] = ['COMPLETED', 'CANCELLED', 'FAILED', 'CRASHED'];

export function isTerminal(type: StateType | null): boolean {
  return type !== null && TERMINAL_STATE_TYPES.includes(type);
}

/** `SCHEDULED` is called `Scheduled` unless somebody names it otherwise. */
export function defaultStateName(type: StateType): string {
  return type.charAt(0) + type.slice(1).toLowerCase();
}

const OFFSET = /[Tt _].*([+-])(\d{2}):?(\d{2})?$/;

/** Moments inside `state_details` keep the offset they were written with: `2026-11-21T10:00:00+02:00` (facts/rules.md §3). */
function keepOffset(text: string): Timestamp | undefined {
  const microseconds = parseTimestamp(text);
  if (microseconds === undefined) return undefined;
  const [, sign = '+', hours = '00', minutes = '00'] = OFFSET.exec(text) ?? [];
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60e6 : 60e6);
  if (offset === 0) return fromMicroseconds(microseconds);
  return `${fromMicroseconds(microseconds + offset).slice(0, -1)}${sign}${hours}:${minutes}`;
}

const offsetTimestamp = () => timestamp(keepOffset);

export const stateDetails = z
  .object({
    flow_run_id: orNull(uuid()),
    task_run_id: orNull(uuid()),
    child_flow_run_id: orNull(uuid()),
    scheduled_time: orNull(offsetTimestamp()),
    cache_key: orNull(z.string()),
    cache_expiration: orNull(offsetTimestamp()),
    deferred: boolean().nullable().default(false),
    untrackable_result: boolean().default(false),
    pause_timeout: orNull(offsetTimestamp()),
    pause_reschedule: boolean().default(false),
    pause_key: orNull(z.string()),
    run_input_keyset: orNull(z.record(z.string(), z.string())),
    refresh_cache: orNull(boolean()),
    retriable: orNull(boolean()),
    transition_id: orNull(uuid()),
    task_parameters_id: orNull(uuid()),
    traceparent: orNull(z.string()),
    deployment_concurrency_lease_id: orNull(uuid()),
  })
  .meta({ id: 'StateDetails' });
export type StateDetails = z.output<typeof stateDetails>;

const EMPTY_DETAILS: Readonly<StateDetails> = stateDetails.parse({});
const STATE_DETAIL_NAMES = stateDetails.keyof().options;

/** The details of a stored state with every key present, whichever server version wrote them. */
export function completeStateDetails(stored: Partial<StateDetails>): StateDetails {
  return { ...EMPTY_DETAILS, ...stored };
}

/** The details as they are stored: without what `completeStateDetails` adds again, which is most of them in nearly every state. */
export function compactStateDetails(details: StateDetails): Partial<StateDetails> {
  return Object.fromEntries(STATE_DETAIL_NAMES.filter((name) => details[name] !== EMPTY_DETAILS[name]).map((name) => [name, details[name]]));
}

/** A state that is proposed; the machine gives it an id and a timestamp when it is stored. */
export const stateCreate = z
  .strictObject({
    type: stateType,
    name: orNull(z.string()),
    message: orNull(z.string()),
    data: orNull(json()),
    state_details: stateDetails.prefault({}),
  })
  .transform((state) => ({
    ...state,
    name: state.name ?? defaultStateName(state.type),
    state_details:
      state.type === 'SCHEDULED' && state.state_details.scheduled_time === null ? { ...state.state_details, scheduled_time: now() } : state.state_details,
  }))
  .meta({ id: 'StateCreate' });
export type StateCreate = z.output<typeof stateCreate>;

/** Builds a proposal in code, with the defaults that the wire gives: name of the type, details empty, SCHEDULED for now. */
export function proposeState(
  type: StateType,
  fields: { name?: string; message?: string | null; data?: StateCreate['data']; details?: Partial<StateDetails> } = {},
): StateCreate {
  const details = completeStateDetails(fields.details ?? {});
  if (type === 'SCHEDULED') details.scheduled_time ??= now();
  return { type, name: fields.name ?? defaultStateName(type), message: fields.message ?? null, data: fields.data ?? null, state_details: details };
}

export const state = z
  .object({
    id: uuid(),
    type: stateType,
    name: z.string().nullable(),
    timestamp: timestamp().meta({ required: false }),
    message: z.string().nullable(),
    data: json().nullable(),
    state_details: stateDetails.prefault({}),
  })
  .meta({ id: 'State' });
export type State = z.output<typeof state>;

/** The body parameters of set_state of either kind of run. */
export const stateProposal = { state: stateCreate, force: boolean().default(false) };

export const setStateStatus = z.enum(['ACCEPT', 'REJECT', 'ABORT', 'WAIT']).meta({ id: 'SetStateStatus' });
export type SetStateStatus = z.output<typeof setStateStatus>;

const reason = () => z.string().nullable();
const acceptDetails = z.object({ type: z.literal('accept_details') }).meta({ id: 'StateAcceptDetails' });
const rejectDetails = z.object({ type: z.literal('reject_details'), reason: reason() }).meta({ id: 'StateRejectDetails' });
const abortDetails = z.object({ type: z.literal('abort_details'), reason: reason() }).meta({ id: 'StateAbortDetails' });
const waitDetails = z.object({ type: z.literal('wait_details'), delay_seconds: integer(), reason: reason() }).meta({ id: 'StateWaitDetails' });

export const orchestrationDetails = z.union([acceptDetails, waitDetails, rejectDetails, abortDetails]);
export type OrchestrationDetails = z.output<typeof orchestrationDetails>;

export const orchestrationResult = z
  .object({ state: state.nullable().meta({ required: true }), status: setStateStatus, details: orchestrationDetails })
  .meta({ id: 'OrchestrationResult' });
export type OrchestrationResult = z.output<typeof orchestrationResult>;
