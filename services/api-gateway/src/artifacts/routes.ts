import { z } from 'zod';
import { change } from '@praetor/orchestration/changes';
import { eventResource, relatedResource, type ServerEvent } from '@praetor/orchestration/lifecycle-events';
import { type Artifact, type ArtifactCollection, artifact, artifactCollection, artifactCreate, artifactUpdate } from '@praetor/schema/artifact';
import { NotFoundError } from '@praetor/schema/errors';
import { artifactCollectionFilter, artifactCollectionSort, artifactFilter, artifactSort } from '@praetor/schema/filters/artifact';
import { uuid } from '@praetor/schema/primitives';
import type { GatewayContext } from '../context.ts';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { optionalRunFilters } from '../runs/filters.ts';
import {
  countArtifacts,
  countCollections,
  deleteArtifact,
  deleteCollection,
  findArtifact,
  findLatestArtifact,
  findNewestArtifact,
  insertArtifact,
  listArtifacts,
  listCollections,
  replaceLatest,
  updateArtifact,
  upsertCollection,
} from './queries.ts';

function toEvent(action: 'created' | 'updated' | 'deleted', collection: ArtifactCollection): ServerEvent {
  const { id, key, latest_id, flow_run_id, task_run_id, type, data, description } = collection;
  return {
    event: `prefect.artifact-collection.${action}`,
    resource: eventResource('artifact-collection', id, key),
    related: [
      relatedResource('artifact', latest_id, undefined, 'latest'),
      ...(flow_run_id === null ? [] : [relatedResource('flow-run', flow_run_id)]),
      ...(task_run_id === null ? [] : [relatedResource('task-run', task_run_id)]),
    ],
    payload: { key, type, data, description },
  };
}

function found<T>(artifact: T | undefined): T {
  if (artifact === undefined) throw new NotFoundError('Artifact not found.');
  return artifact;
}

/** Deletes an artifact; where it was the latest of its key, the one before takes its place. */
const remove = (id: string, context: GatewayContext): Promise<void> =>
  change(context, async (db, emit) => {
    const { key } = found(await deleteArtifact(db, id));
    if (key === null) return;
    const newest = await findNewestArtifact(db, key);
    const collection = newest === undefined ? await deleteCollection(db, id) : await replaceLatest(db, id, newest);
    if (collection !== undefined) emit(toEvent(newest === undefined ? 'deleted' : 'updated', collection));
  });

const byId = { id: uuid() };

const { flow_runs, task_runs, flows, deployments } = optionalRunFilters;
const filters = { flow_runs, task_runs, flows, deployments };
const artifactFilters = { artifacts: artifactFilter.optional(), ...filters };
const collectionFilters = { artifacts: artifactCollectionFilter.optional(), ...filters };

export const artifacts: Resource = {
  prefix: '/artifacts',
  tag: 'Artifacts',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_artifact',
      body: artifactCreate,
      response: artifact,
      status: 201,
      handler: ({ body }, context): Promise<Artifact> =>
        change(context, async (db, emit) => {
          const created = await insertArtifact(db, body);
          if (created.key !== null) {
            const collection = await upsertCollection(db, created.key, created);
            emit(toEvent(collection.created === collection.updated ? 'created' : 'updated', collection));
          }
          return created;
        }),
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_artifacts',
      body: bodyParameters({ limit: page.limit, sort: artifactSort.default('ID_DESC'), offset: page.offset, ...artifactFilters }),
      response: z.array(artifact),
      status: 200,
      handler: ({ body }, context) => listArtifacts(context.database.kysely, body, body.sort, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/latest/filter',
      name: 'read_latest_artifacts',
      body: bodyParameters({ limit: page.limit, sort: artifactCollectionSort.default('ID_DESC'), offset: page.offset, ...collectionFilters }),
      response: z.array(artifactCollection),
      status: 200,
      handler: ({ body }, context) => listCollections(context.database.kysely, body, body.sort, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_artifacts',
      body: bodyParameters(artifactFilters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countArtifacts(database.kysely, body),
    }),
    route({
      method: 'post',
      path: '/latest/count',
      name: 'count_latest_artifacts',
      body: bodyParameters(collectionFilters),
      response: z.int(),
      status: 200,
      handler: ({ body }, { database }) => countCollections(database.kysely, body),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_artifact',
      params: byId,
      response: artifact,
      status: 200,
      handler: async ({ params }, { database }) => found(await findArtifact(database.kysely, params.id)),
    }),
    route({
      method: 'get',
      path: '/{key}/latest',
      name: 'read_latest_artifact',
      params: { key: z.string() },
      response: artifact,
      status: 200,
      handler: async ({ params }, { database }) => found(await findLatestArtifact(database.kysely, params.key)),
    }),
    route({
      method: 'patch',
      path: '/{id}',
      name: 'update_artifact',
      params: byId,
      body: artifactUpdate,
      status: 204,
      handler: ({ params, body }, context) =>
        change(context, async (db) => {
          found(await updateArtifact(db, params.id, body));
        }),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_artifact',
      params: byId,
      status: 204,
      handler: ({ params }, context) => remove(params.id, context),
    }),
  ],
};
