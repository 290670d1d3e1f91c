import { proposeState } from '@praetor/schema/state';
import { type Timestamp, secondsBetween } from '@praetor/schema/timestamps';
import { HEARTBEATS, heartbeatInterval, readListening } from './heartbeats.ts';
import { type FoundRun, type RoundContext, proposeForFlowRun } from './propose.ts';

const BATCH_SIZE = 500;
/** The first heartbeat may come a little before the run counts as running. */
const EARLY_SECONDS = 60;

interface BeatingRun extends FoundRun {
  heartbeats: number[];
  /** When the server heard anything of the run for the last time. */
  heard: Timestamp;
}

/** Running runs that have sent heartbeats since they run, in the order of their ids. */
function findBeatingRuns({ database: { sql } }: RoundContext, after: string | null): PromiseLike<BeatingRun[]> {
  return sql<BeatingRun[]>`
    select r.id, r.state_id, beats.heartbeats, greatest(beats.received, other.received, r.state_timestamp) as heard
    from (
      select id, state_id, state_timestamp, 'prefect.flow-run.' || id as resource_id from flow_run
      where state_type = 'RUNNING' and state_id is not null and (${after}::uuid is null or id > ${after}::uuid)
    ) r cross join lateral (
      select array_agg(extract(epoch from beat.occurred)::float8 order by beat.occurred desc) as heartbeats, max(beat.received) as received
      from (
        select occurred, received from events
        where event = 'prefect.flow-run.heartbeat' and resource_id = r.resource_id order by occurred desc limit ${HEARTBEATS}
      ) beat
    ) beats left join lateral (
      select e.received from event_resources named join events e on e.id = named.event_id
      where named.resource_id = r.resource_id order by named.occurred desc limit 1
    ) other on true
    where beats.received >= r.state_timestamp - make_interval(secs => ${EARLY_SECONDS})
    order by r.id limit ${BATCH_SIZE}`;
}

/**
 * Crashes running runs whose process has died without a word: they sent heartbeats, and then nothing at all came from them for
 * a multiple of the interval, all of which the server has listened and stored what it heard. Of runs that never sent any nobody
 * can tell. Returns how many.
 */
export async function crashSilentRuns(context: RoundContext, signal: AbortSignal): Promise<number> {
  const listening = await readListening(context);
  if (listening === undefined) return 0;
  const { since, until } = listening;
  const { heartbeatMultiple, fallbackHeartbeatSeconds } = context.settings.services.silentRuns;
  let crashed = 0;
  for (let after: string | null = null; !signal.aborted; ) {
    const runs: BeatingRun[] = await findBeatingRuns(context, after);
    for (const run of runs) {
      const interval = heartbeatInterval(run.heartbeats, fallbackHeartbeatSeconds);
      const limit = interval * heartbeatMultiple;
      if (secondsBetween(run.heard, until) < limit || secondsBetween(since, until) < limit) continue;
      const message = `Nothing was heard of the run since ${run.heard}, though it had sent a heartbeat every ${Math.round(interval)} seconds: its process is gone.`;
      if (await proposeForFlowRun(context, run, { state: proposeState('CRASHED', { message }), policy: 'minimal' })) crashed++;
    }
    const last = runs.at(-1);
    if (last === undefined || runs.length < BATCH_SIZE) break;
    after = last.id;
  }
  return crashed;
}
