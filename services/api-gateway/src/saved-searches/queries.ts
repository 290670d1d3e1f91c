import type { Kysely } from 'kysely';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import { type SavedSearch, type SavedSearchCreate, savedSearch } from '@praetor/schema/saved-search';
import type { Page } from '../http/pagination.ts';

const COLUMNS = savedSearch.keyof().options;

/** Undefined when the name is taken. */
export function insertSavedSearch(db: Kysely<Tables>, search: SavedSearchCreate): Promise<SavedSearch | undefined> {
  return db
    .insertInto('saved_search')
    .values(withJsonColumns(search, 'filters'))
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning(COLUMNS)
    .executeTakeFirst();
}

/** Replaces the filters of a search that has this name; its `updated` stays, as with Prefect. */
export function replaceSavedSearch(db: Kysely<Tables>, search: SavedSearchCreate): Promise<SavedSearch | undefined> {
  return db.updateTable('saved_search').set(withJsonColumns(search, 'filters')).where('name', '=', search.name).returning(COLUMNS).executeTakeFirst();
}

export function findSavedSearch(db: Kysely<Tables>, id: string): Promise<SavedSearch | undefined> {
  return db.selectFrom('saved_search').select(COLUMNS).where('id', '=', id).executeTakeFirst();
}

export function deleteSavedSearch(db: Kysely<Tables>, id: string): Promise<SavedSearch | undefined> {
  return db.deleteFrom('saved_search').where('id', '=', id).returning(COLUMNS).executeTakeFirst();
}

export function listSavedSearches(db: Kysely<Tables>, { limit, offset }: Page): Promise<SavedSearch[]> {
  return db.selectFrom('saved_search').select(COLUMNS).orderBy('name').limit(limit).offset(offset).execute();
}
