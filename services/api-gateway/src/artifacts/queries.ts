import { sql, type Kysely } from 'kysely';
import { type RelatedFilters, artifactCollectionConditions, artifactConditions } from '@praetor/database/filter/related';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import { type Artifact, type ArtifactCollection, type ArtifactCreate, type ArtifactUpdate, artifact, artifactCollection } from '@praetor/schema/artifact';
import type { ArtifactCollectionFilter, ArtifactFilter, ArtifactSort } from '@praetor/schema/filters/artifact';
import type { Page } from '../http/pagination.ts';

const COLUMNS = artifact.keyof().options;
const COLLECTION_COLUMNS = artifactCollection.keyof().options;

const ORDER = {
  CREATED_DESC: ['created', 'desc'],
  UPDATED_DESC: ['updated', 'desc'],
  ID_DESC: ['id', 'desc'],
  KEY_DESC: ['key', 'desc'],
  KEY_ASC: ['key', 'asc'],
} as const satisfies Record<ArtifactSort, readonly [string, 'asc' | 'desc']>;

export type ArtifactFilters = RelatedFilters & { artifacts?: ArtifactFilter | null | undefined };
export type ArtifactCollectionFilters = RelatedFilters & { artifacts?: ArtifactCollectionFilter | null | undefined };

export function insertArtifact(db: Kysely<Tables>, artifact: ArtifactCreate): Promise<Artifact> {
  return db.insertInto('artifact').values({ key: null, ...withJsonColumns(artifact, 'data', 'metadata_') }).returning(COLUMNS).executeTakeFirstOrThrow();
}

/** Makes an artifact the latest of its key; the collection's `created` and `updated` are the same when it is new. */
export function upsertCollection(db: Kysely<Tables>, key: string, { id, created, updated, ...artifact }: Artifact): Promise<ArtifactCollection> {
  const values = { ...withJsonColumns(artifact, 'data', 'metadata_'), key, latest_id: id };
  return db
    .insertInto('artifact_collection')
    .values({ ...values, created, updated })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ ...values, updated }))
    .returning(COLLECTION_COLUMNS)
    .executeTakeFirstOrThrow();
}

export function findArtifact(db: Kysely<Tables>, id: string): Promise<Artifact | undefined> {
  return db.selectFrom('artifact').select(COLUMNS).where('id', '=', id).executeTakeFirst();
}

/** The latest artifact of a key, under the id of its collection as Prefect shows it (facts/rules.md §13). */
export function findLatestArtifact(db: Kysely<Tables>, key: string): Promise<Artifact | undefined> {
  return db.selectFrom('artifact_collection').select(COLUMNS).where('key', '=', key).executeTakeFirst();
}

/** Changes an artifact and, where it is the latest of its key, its collection. */
export async function updateArtifact(db: Kysely<Tables>, id: string, changes: ArtifactUpdate): Promise<Artifact | undefined> {
  const values = { ...withJsonColumns(changes, 'data', 'metadata_'), updated: sql<string>`now()` };
  await db.updateTable('artifact_collection').set(values).where('latest_id', '=', id).execute();
  return await db.updateTable('artifact').set(values).where('id', '=', id).returning(COLUMNS).executeTakeFirst();
}

export function deleteArtifact(db: Kysely<Tables>, id: string): Promise<Artifact | undefined> {
  return db.deleteFrom('artifact').where('id', '=', id).returning(COLUMNS).executeTakeFirst();
}

/** The newest artifact of a key. */
export function findNewestArtifact(db: Kysely<Tables>, key: string): Promise<Artifact | undefined> {
  return db.selectFrom('artifact').select(COLUMNS).where('key', '=', key).orderBy('created', 'desc').limit(1).executeTakeFirst();
}

/** Lets the collection whose latest artifact is gone show another one; undefined where it was not the latest. */
export function replaceLatest(db: Kysely<Tables>, goneId: string, { id, key: _, ...artifact }: Artifact): Promise<ArtifactCollection | undefined> {
  return db
    .updateTable('artifact_collection')
    .set({ ...withJsonColumns(artifact, 'data', 'metadata_'), latest_id: id })
    .where('latest_id', '=', goneId)
    .returning(COLLECTION_COLUMNS)
    .executeTakeFirst();
}

export function deleteCollection(db: Kysely<Tables>, latestId: string): Promise<ArtifactCollection | undefined> {
  return db.deleteFrom('artifact_collection').where('latest_id', '=', latestId).returning(COLLECTION_COLUMNS).executeTakeFirst();
}

export function listArtifacts(db: Kysely<Tables>, filters: ArtifactFilters, sort: ArtifactSort, { limit, offset }: Page): Promise<Artifact[]> {
  const [column, direction] = ORDER[sort];
  return db.selectFrom('artifact').select(COLUMNS).where(artifactConditions(filters)).orderBy(column, direction).limit(limit).offset(offset).execute();
}

export function listCollections(
  db: Kysely<Tables>,
  filters: ArtifactCollectionFilters,
  sort: ArtifactSort,
  { limit, offset }: Page,
): Promise<ArtifactCollection[]> {
  const [column, direction] = ORDER[sort];
  return db
    .selectFrom('artifact_collection')
    .select(COLLECTION_COLUMNS)
    .where(artifactCollectionConditions(filters))
    .orderBy(column, direction)
    .limit(limit)
    .offset(offset)
    .execute();
}

export async function countArtifacts(db: Kysely<Tables>, filters: ArtifactFilters): Promise<number> {
  const { count } = await db
    .selectFrom('artifact')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(artifactConditions(filters))
    .executeTakeFirstOrThrow();
  return count;
}

export async function countCollections(db: Kysely<Tables>, filters: ArtifactCollectionFilters): Promise<number> {
  const { count } = await db
    .selectFrom('artifact_collection')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(artifactCollectionConditions(filters))
    .executeTakeFirstOrThrow();
  return count;
}
