import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** As long as Prefect lets the leases of moved limits live. */
const LEASE = `interval '36500 days'`;

/**
 * Moves limits on tags from their old table to the global limits `tag:{tag}`, under the same ids, as Prefect's own migrations
 * do: the API knows them only there. Who holds a slot goes on holding it, by a lease.
 */
export const tagLimits: Migration = {
  name: '0009_tag_limits',
  breaking: false,
  transactional: true,
  async up(db) {
    await sql
      .raw(
        `with old as (delete from concurrency_limit returning *), moved as (
          insert into concurrency_limit_v2 (id, created, updated, name, "limit", active, active_slots, denied_slots, slot_decay_per_second, avg_slot_occupancy_seconds)
          select id, created, updated, 'tag:' || tag, concurrency_limit, true, jsonb_array_length(active_slots), 0, 0, 600 from old
          on conflict (name) do nothing returning id
        )
        insert into praetor.lease (id, resource_ids, slots, holder_type, holder_id, expiration)
        select gen_random_uuid(), array[old.id], 1, 'task_run', holder::uuid, now() + ${LEASE}
        from old join moved using (id) cross join jsonb_array_elements_text(old.active_slots) as holder`,
      )
      .execute(db);
  },
};
