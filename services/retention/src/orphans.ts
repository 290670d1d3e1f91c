import type { Sql } from '@praetor/database/sql';
import { type Child, deleteChildren } from './children.ts';

interface Page {
  /** The last run that it names; null where it names none. */
  last: string | null;
  orphaned: string[];
}

/**
 * Deletes the logs or artifacts whose flow run is gone. Walks the runs that they name by the index, a page of runs per
 * statement, since one look at everything would hold the largest table for minutes. Gives how many were deleted.
 */
export async function deleteOrphans(sql: Sql, child: Child, pageSize: number, signal: AbortSignal, noteProgress: () => void): Promise<number> {
  const table = sql.unsafe(child);
  let deleted = 0;
  for (let last = '00000000-0000-0000-0000-000000000000'; !signal.aborted; ) {
    noteProgress();
    // A loose scan: each step of the recursion is one descent of the index.
    const [page] = await sql<Page[]>`
      with recursive named as (
        (select flow_run_id, 1 as position from ${table} where flow_run_id > ${last}::uuid order by flow_run_id limit 1)
        union all
        select following.flow_run_id, named.position + 1 from named cross join lateral (
          select flow_run_id from ${table} where flow_run_id > named.flow_run_id order by flow_run_id limit 1
        ) as following where named.position < ${pageSize}
      )
      select max(flow_run_id::text) as last,
        coalesce(array_agg(flow_run_id::text) filter (where not exists (select from flow_run where flow_run.id = named.flow_run_id)), '{}') as orphaned
      from named`;
    if (page === undefined || page.last === null) break;
    if (page.orphaned.length > 0) deleted += await deleteChildren(sql, child, page.orphaned, pageSize, signal);
    last = page.last;
  }
  return deleted;
}

/**
 * Points collections whose latest artifact is gone to the newest one left of their key, and deletes those that have none.
 * Gives how many were mended.
 */
export async function mendArtifactCollections(sql: Sql, batchSize: number): Promise<number> {
  const [mended] = await sql<{ count: number }[]>`
    with stale as (
      select id, key from artifact_collection collection
      where not exists (select from artifact where artifact.id = collection.latest_id)
      order by id limit ${batchSize} for update skip locked
    ), newest as (
      select stale.id as collection_id, artifact.* from stale cross join lateral (
        select * from artifact where artifact.key = stale.key order by created desc limit 1
      ) as artifact
    ), repointed as (
      update artifact_collection collection
      set latest_id = newest.id, data = newest.data, description = newest.description, type = newest.type, metadata_ = newest.metadata_,
          flow_run_id = newest.flow_run_id, task_run_id = newest.task_run_id, created = newest.created, updated = newest.updated
      from newest where collection.id = newest.collection_id
    ), emptied as (
      delete from artifact_collection using stale
      where artifact_collection.id = stale.id and stale.id not in (select collection_id from newest)
    )
    select count(*)::int as count from stale`;
  return mended?.count ?? 0;
}
