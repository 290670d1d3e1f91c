import { type Kysely, sql } from 'kysely';
import { compileEventFilter } from '@praetor/database/filter/events';
import type { Tables } from '@praetor/database/tables';
import type { EventFilter } from '@praetor/schema/event';

const COLUMNS = ['occurred', 'event', 'resource', 'related', 'payload', 'id', 'follows', 'received'] as const;

/** The stored events that pass the filter, oldest first, in pages; the columns are the keys of the wire in its order. */
export async function* readPastEvents(db: Kysely<Tables>, filter: EventFilter, pageSize: number) {
  let query = db.selectFrom('events').select(COLUMNS).where(compileEventFilter(filter)).orderBy('occurred').orderBy('id').limit(pageSize);
  for (;;) {
    const page = await query.execute();
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    query = query.where(sql<boolean>`(occurred, id) > (${last.occurred}, ${last.id}::uuid)`);
  }
}
