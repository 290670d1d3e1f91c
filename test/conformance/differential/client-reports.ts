import { isJsonObject } from '@praetor/schema/json';
import type { Report } from '../client.ts';
import { compare, type CompareOptions, type Difference } from './compare.ts';
import { Correspondence } from './correspondence.ts';
import type { Step } from './twin-client.ts';

/** What servers make for themselves when they start: when that was does not matter; the prose, and with it the checksum, is ours. */
const BUILT_IN = ['created', 'updated', 'description', 'code_example', 'examples', 'checksum', 'block_schema_checksum'];

/** Answers that are not compared in order, or not as a whole. */
const OPTIONS: Record<string, CompareOptions> = {
  read_worker_metadata: { ignore: BUILT_IN },
  read_block_types: { ignore: BUILT_IN },
  read_block_schemas: { ignore: BUILT_IN },
  read_concurrency_limits: { unordered: true },
  'block type': { ignore: BUILT_IN },
  // Queues of one rank come in no order.
  read_work_queues: { unordered: true },
  match_work_queues: { unordered: true },
};

/** What a scenario reports of one call or command (scenarios/witness.py); `side` 0 is the real server. */
interface Call {
  name: string;
  story: string;
  side: 0 | 1;
  arguments: unknown;
  /** `returned`, `raised`, `broke off`, or the exit code of a command. */
  outcome: unknown;
  /** Each request with its status, as the client made them. */
  requests: string[];
  result: unknown;
}

const isCall = (report: Report): report is Call & Report => report['side'] === 0 || report['side'] === 1;

/** Where two calls ended differently: the type of the exception or the status behind it. */
function compareEnds(real: Call, ours: Call): Difference[] {
  const endOf = ({ outcome, result }: Call) => ({ outcome, ...(isJsonObject(result) && 'exception' in result && { exception: result['exception'], status: Reflect.get(result, 'status') }) });
  const [one, other] = [endOf(real), endOf(ours)];
  return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ at: 'status', kind: 'status', real: { ...one, body: real.result }, ours: { ...other, body: ours.result } }];
}

/** The slug of a type of blocks, or of the type of a schema. */
function readSlug(value: unknown): unknown {
  if (!isJsonObject(value)) return undefined;
  return isJsonObject(value['fields']) ? value['fields']['block_type_slug'] : value['slug'];
}

function nameSchema(schema: unknown): string {
  const { fields, version } = isJsonObject(schema) ? schema : {};
  return isJsonObject(fields) ? `${String(fields['block_type_slug'])} ${String(fields['title'])} ${String(version)}` : '';
}

/**
 * An answer behind an exception is compared as the body that it is. Types of blocks without that of prefect-redis, which the
 * real server has where that is installed; their schemas in the order of their names, without those that the real server has
 * once more, and without a version, because others are made of them.
 */
function bodyOf({ name, result }: Call): unknown {
  if (isJsonObject(result) && 'exception' in result && 'body' in result) return result['body'];
  if (!Array.isArray(result)) return result;
  const installed = result.filter((value) => readSlug(value) !== 'redis-database');
  if (name !== 'read_block_schemas') return installed;
  return installed.filter((schema) => !nameSchema(schema).endsWith(' non-versioned')).toSorted((one, other) => nameSchema(one).localeCompare(nameSchema(other)));
}

function compareCalls(real: Call, ours: Call, pairs: Correspondence): Difference[] {
  // What the client or a story has made up itself: the ids of states, moments.
  compare(real.arguments, ours.arguments, 'arguments', pairs);
  pairs.noteSent(JSON.stringify(real.arguments));
  const ends = compareEnds(real, ours);
  if (ends.length > 0) return ends;
  return [...compare(bodyOf(real), bodyOf(ours), 'body', pairs, OPTIONS[real.name]), ...compare(real.requests, ours.requests, 'requests', pairs)];
}

/** The stories of a scenario, each call a step with its differences. Of a story that broke off on one side, what is missing there is told. */
export function compareReports(reports: readonly Report[]): Map<string, Step[]> {
  const stories = Map.groupBy(reports.filter(isCall), ({ story }) => story);
  return new Map([...stories].map(([story, calls]) => [story, compareStory(story, calls)]));
}

function compareStory(story: string, calls: readonly Call[]): Step[] {
  const pairs = new Correspondence();
  const [real, ours] = [0, 1].map((side) => calls.filter((call) => call.side === side));
  if (real === undefined || ours === undefined) return [];
  return Array.from({ length: Math.max(real.length, ours.length) }, (_, index) => {
    const [one, other] = [real[index], ours[index]];
    const call = one ?? other;
    const differences: Difference[] = one?.name === other?.name && one && other ? compareCalls(one, other, pairs) : [{ at: 'call', kind: 'status', real: one, ours: other }];
    return { sequence: story, line: `${story} ${index + 1}: ${call?.name}`, ...describeRequest(one), body: JSON.stringify(call?.arguments), differences };
  });
}

/** The last request behind a call. */
function describeRequest(call: Call | undefined): { method: string; path: string; status: number } {
  const [method = '', path = '', status] = call?.requests.at(-1)?.split(' ') ?? [];
  return { method, path: path.replace(/^\/api/, ''), status: Number(status ?? 0) };
}
