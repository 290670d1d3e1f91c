import { type Kysely, type RawBuilder, sql } from 'kysely';
import { readShared } from '@praetor/database/shared-reads';
import type { Tables } from '@praetor/database/tables';
import type { ObservedState, ObservedStateSort } from '@praetor/schema/observed-state';
import type { StateTable } from '../runs/state-history.ts';

/**
 * The pairs of type and name in a table of states. Each is found by a jump to the next one in the index on type, name and
 * timestamp, whose ends also tell its first and last moment: the time depends on the pairs, not on the millions of states.
 */
function pairsOf(table: StateTable): RawBuilder<unknown> {
  const states = sql.table(table);
  const bound = (direction: 'asc' | 'desc') => sql`
    (select timestamp from ${states} state where state.type = pair.type and state.name = pair.name order by timestamp ${sql.raw(direction)} limit 1)`;
  return sql`(
    with recursive pair as (
      (select type, name from ${states} order by type, name limit 1)
      union all
      select next.type, next.name from pair cross join lateral (
        select type, name from ${states} state where (state.type, state.name) > (pair.type, pair.name) order by type, name limit 1
      ) next
    )
    select type, name, ${bound('asc')} as first_seen, ${bound('desc')} as last_seen from pair
  )`;
}

const ORDER = {
  NAME_ASC: sql`state_type, state_name`,
  LAST_SEEN_DESC: sql`last_seen desc, state_type, state_name`,
} as const satisfies Record<ObservedStateSort, RawBuilder<unknown>>;

/** What states runs have had, of those whose type or name begins with a text in any case. */
export function listObservedStates(db: Kysely<Tables>, prefix: string, sort: ObservedStateSort, limit: number): Promise<ObservedState[]> {
  return readShared(
    db,
    sql<ObservedState>`
      select * from (
        select type::text as state_type, name as state_name, min(first_seen) as first_seen, max(last_seen) as last_seen
        from (select * from ${pairsOf('flow_run_state')} flow_run_pair union all select * from ${pairsOf('task_run_state')} task_run_pair) pair
        group by type, name
      ) observed
      where starts_with(lower(state_type), lower(${prefix}::text)) or starts_with(lower(state_name), lower(${prefix}::text))
      order by ${ORDER[sort]} limit ${limit}`,
  );
}
