import { ABSENT, type Difference } from './compare.ts';
import { isRawJson, toJson } from '@praetor/schema/json';
import type { Step } from './twin-client.ts';

/** A difference that we want. One that no sequence meets any more is reported, so that this list stays true. */
export interface Deliberate {
  reason: string;
  covers(difference: Difference, step: Step): boolean;
}

/** Texts that clients compare (or that never vary): whichever of them the real server's text contains, ours must contain too. */
const LITERAL = [
  'Invalid CSRF token',
  'CSRF protection is disabled.',
  'Unauthorized',
  'protected block types cannot be deleted.',
  'Invalid limit',
  'Invalid request received.',
  'Method Not Allowed',
  'Locked',
  'Service Unavailable',
  'Internal Server Error',
];

function isFreeWording({ at, kind, real, ours }: Difference): boolean {
  if (kind !== 'body' || typeof real !== 'string' || typeof ours !== 'string') return false;
  if (/^body\.exception_detail\[\d+\]\.msg$/.test(at)) return [real, ours].every((text) => text.startsWith('Value error, '));
  if (!/\.(?:detail|exception_message|reason|message)$|^body\.results\[\d+\]\.error$/.test(at)) return false;
  return LITERAL.every((text) => !real.includes(text) || ours.includes(text));
}

const statusOf = (value: unknown): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, 'status') : undefined);

/** The real server fails: it says so, or drops the connection. */
const isFailure = (status: unknown): boolean => status === 0 || status === 500 || status === 503;

function isProperError(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status < 500;
}

/** The differences that README.md lists, as far as requests show them. */
export const deliberate: Deliberate[] = [
  { reason: 'messages and reasons are worded freely', covers: isFreeWording },
  { reason: 'errors do not point to the documentation of pydantic', covers: ({ at, real }) => at.endsWith('.url') && String(real).startsWith('https://errors.pydantic.dev/') },
  {
    reason: 'what is wrong with the values of a form is worded freely',
    covers: ({ at, real, ours }, { path }) => path === '/ui/schemas/validate' && /\.errors\[\d+\]$/.test(at) && typeof real === 'string' && typeof ours === 'string',
  },
  {
    reason: 'every text that is no moment is refused as such, with one reason',
    covers: ({ at }, { path, status }) => status === 422 && /\/graph-v2\?since=|\/schedule$/.test(path) && /^body\.exception_detail\[0\]\.(?:type|msg|ctx\.error)$/.test(at),
  },
  {
    reason: 'an unknown time zone is called one, without the list of all that are known',
    covers: ({ at, real, ours }, { path, status }) =>
      status === 422 &&
      path.endsWith('/schedules') &&
      /^body\.exception_detail\[\d+\]\./.test(at) &&
      (String(real).includes('Africa/Abidjan') || (real === 'string_pattern_mismatch' && ours === 'value_error') || (at.endsWith('.ctx.error') && real === ABSENT)),
  },
  {
    reason: 'moments as weeks, days of a year, times of today and `now` are refused',
    covers: ({ kind, ours }, { body }) => kind === 'status' && statusOf(ours) === 422 && /"history_start":"(?:now|\d{4}-\d{3}|\d{4}-?W[\d-]+|T?\d\d:\d\d|[\d/]+)"/.test(body),
  },
  {
    reason: 'a rule that never moves on is refused',
    covers: ({ kind, ours }, { body }) => kind === 'status' && statusOf(ours) === 422 && body.includes('INTERVAL=0'),
  },
  {
    reason: 'a path with or without the slash at its end is answered directly',
    covers: ({ kind, real }) => kind === 'status' && statusOf(real) === 307,
  },
  {
    reason: 'where the real server fails at bad input, the error that tells so',
    covers: ({ kind, real, ours }) => kind === 'status' && isFailure(statusOf(real)) && isProperError(statusOf(ours)),
  },
  {
    reason: 'what makes the real server fail, works',
    covers: ({ kind, real, ours }) => kind === 'status' && statusOf(real) === 500 && Number(statusOf(ours)) < 300,
  },
  {
    reason: 'moments are answered in UTC at once, not only by the next read',
    covers: ({ kind, real, ours }) => kind === 'body' && typeof real === 'string' && typeof ours === 'string' && /[+-]\d\d:\d\d$/.test(real) && Date.parse(real) === Date.parse(ours),
  },
  {
    reason: 'a run that is cancelled and proposed to be PENDING: REJECT with its state',
    covers: ({ at, real, ours }, { path, body }) => path.endsWith('set_state') && body.includes('"PENDING"') && /(?:^body|\])\.(?:status|details\.type)$/.test(at) && /^abort/i.test(String(real)) && /^reject/i.test(String(ours)),
  },
  {
    reason: 'each result of a bulk change has the id of its own run, not of the first one',
    covers: ({ at }, { path }) => path === '/flow_runs/bulk_set_state' && at.endsWith('.state.state_details.flow_run_id'),
  },
  {
    reason: 'an empty list or object is no name',
    covers: ({ kind, real, ours }, { body }) => kind === 'status' && statusOf(real) === 201 && statusOf(ours) === 422 && /"name":(?:\[\]|\{\})/.test(body),
  },
  {
    reason: 'a refused request is repeated as it was sent; of parameters that are too large nothing else',
    covers: ({ at, ours }, { body }) =>
      ours === ABSENT && ((at.startsWith('body.request_body.') && (body.includes('_policy') || body.length > 200_000)) || /^body\.(?:request_body|exception_detail\[\d+\]\.input)\.parameters$/.test(at)),
  },
  {
    reason: "texts and lists are called so where Python's types are bytes and Sequence",
    covers: ({ at, real, ours }) => /^body\.exception_detail\[\d\]\.(?:type|msg|ctx\.?\w*)$/.test(at) && /bytes|Sequence|sequence_str|is_instance_of|type_name|"str"/.test(toJson(real) + toJson(ours)),
  },
  { reason: 'NaN is not JSON', covers: ({ kind, ours }, { body }) => kind === 'status' && body.includes('NaN') && statusOf(ours) === 422 },
  { reason: 'a number beyond the range of a double is kept', covers: ({ real, ours }, { body }) => real === null && isRawJson(ours) && body.includes('1e400') },
  {
    reason: 'a poll makes a work pool READY',
    covers: ({ at, real, ours }, { path }) => path.startsWith('/work_pools/') && at.endsWith('.status') && real === 'NOT_READY' && ours === 'READY',
  },
  {
    reason: 'a run names the queue and the pool that it is in, whoever asks',
    covers: ({ at, real }, { path }) =>
      real === null && ((path.endsWith('/get_scheduled_flow_runs') && at.endsWith('.flow_run.work_queue_name')) || (path.endsWith('/get_runs') && /\]\.work_pool_(?:id|name)$/.test(at))),
  },
  {
    reason: 'pausing and resuming a deployment answer 204',
    covers: ({ kind, real, ours }, { path }) => kind === 'status' && /\/(?:pause|resume)_deployment$/.test(path) && statusOf(real) === 200 && statusOf(ours) === 204,
  },
  { reason: 'descriptions of what the server makes by itself are ours', covers: ({ at, real }) => at.endsWith('.description') && real === "The work pool's default queue." },
  {
    reason: 'when the limit of a tag is reset or its holder deleted, the slots that were held are free',
    covers: ({ at, real, ours }, { path }) =>
      (at === 'body.active_slots' && path.startsWith('/v2/concurrency_limits/tag:') && Number(real) > Number(ours)) || (at.startsWith('body.active_slots[') && path.startsWith('/concurrency_limits/tag/') && ours === ABSENT),
  },
  { reason: 'a 405 names all methods of a path, not only those of its first route', covers: ({ at, real }) => at === 'headers.allow' && typeof real === 'string' },
];
