import { z } from 'zod';
import { uuid } from '@praetor/schema/primitives';
import { API_VERSION, PREFECT_VERSION } from '@praetor/schema/versions';
import { Reply, type Resource, route } from '../http/route.ts';
import { deleteResultStorage, isDatabaseReady, readResultStorage, writeResultStorage } from './queries.ts';
import { dumpSettings, settingsDump } from './settings.ts';

const ResultStorage = z.object({ default_result_storage_block_id: uuid().nullable() }).meta({ id: 'ServerDefaultResultStorage' });
const ResultStorageUpdate = z.object({ default_result_storage_block_id: uuid() }).meta({ id: 'ServerDefaultResultStorageUpdate' });

/** Probes and greetings at the API's root. */
export const root: Resource = {
  prefix: '',
  tag: 'Root',
  routes: [
    route({ method: 'get', path: '/health', name: 'health_check', unversioned: true, response: z.boolean(), status: 200, handler: () => true }),
    route({
      method: 'get',
      path: '/ready',
      name: 'perform_readiness_check',
      status: 200,
      otherStatuses: [503],
      handler: async (_request, { database }) =>
        (await isDatabaseReady(database.kysely)) ? { message: 'OK' } : new Reply(503, { message: 'Database is not available' }),
    }),
    route({ method: 'get', path: '/version', name: 'server_version', unversioned: true, response: z.string(), status: 200, handler: () => API_VERSION }),
    route({ method: 'get', path: '/hello', name: 'hello', response: z.string(), status: 200, handler: () => '👋' }),
  ],
};

export const admin: Resource = {
  prefix: '/admin',
  tag: 'Admin',
  routes: [
    route({ method: 'get', path: '/settings', name: 'read_settings', response: settingsDump, status: 200, handler: (_request, { settings }) => dumpSettings(settings) }),
    route({ method: 'get', path: '/version', name: 'read_version', response: z.string(), status: 200, handler: () => PREFECT_VERSION }),
    route({
      method: 'get',
      path: '/storage',
      name: 'read_server_default_result_storage',
      response: ResultStorage,
      status: 200,
      handler: (_request, { database }) => readResultStorage(database.kysely),
    }),
    route({
      method: 'put',
      path: '/storage',
      name: 'update_server_default_result_storage',
      body: ResultStorageUpdate,
      response: ResultStorage,
      status: 200,
      handler: ({ body }, { database }) => writeResultStorage(database.kysely, body.default_result_storage_block_id),
    }),
    route({
      method: 'delete',
      path: '/storage',
      name: 'clear_server_default_result_storage',
      status: 204,
      handler: (_request, { database }) => deleteResultStorage(database.kysely),
    }),
  ],
};
