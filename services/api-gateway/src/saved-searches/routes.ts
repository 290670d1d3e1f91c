import { z } from 'zod';
import { NotFoundError } from '@praetor/schema/errors';
import { uuid } from '@praetor/schema/primitives';
import { type SavedSearch, savedSearch, savedSearchCreate } from '@praetor/schema/saved-search';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { Reply, type Resource, route } from '../http/route.ts';
import { deleteSavedSearch, findSavedSearch, insertSavedSearch, listSavedSearches, replaceSavedSearch } from './queries.ts';

function found(search: SavedSearch | undefined): SavedSearch {
  if (search === undefined) throw new NotFoundError('Saved search not found');
  return search;
}

const byId = { id: uuid() };

export const savedSearches: Resource = {
  prefix: '/saved_searches',
  tag: 'SavedSearches',
  routes: [
    route({
      method: 'put',
      path: '/',
      name: 'create_saved_search',
      body: savedSearchCreate,
      response: savedSearch,
      status: 200,
      otherStatuses: [201],
      handler: async ({ body }, { database: { kysely } }) => {
        const created = await insertSavedSearch(kysely, body);
        return created ? new Reply(201, created) : found(await replaceSavedSearch(kysely, body));
      },
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_saved_searches',
      body: bodyParameters(page),
      response: z.array(savedSearch),
      status: 200,
      handler: ({ body }, context) => listSavedSearches(context.database.kysely, readPage(body, context)),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_saved_search',
      params: byId,
      response: savedSearch,
      status: 200,
      handler: async ({ params }, { database }) => found(await findSavedSearch(database.kysely, params.id)),
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_saved_search',
      params: byId,
      status: 204,
      handler: async ({ params }, { database }) => {
        found(await deleteSavedSearch(database.kysely, params.id));
      },
    }),
  ],
};
