import { z } from 'zod';
import { logFilter, logSort } from '@praetor/schema/filters/log';
import { toJson } from '@praetor/schema/json';
import { log, logCreate } from '@praetor/schema/log';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { insertLogs, listLogs } from './queries.ts';

export const logs: Resource = {
  prefix: '/logs',
  tag: 'Logs',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_logs',
      body: z.array(logCreate),
      status: 201,
      handler: async ({ body }, { database, broker, settings, logger }) => {
        const stored = await insertLogs(database.sql, body);
        // Only live tails read this stream, so the answer does not depend on it.
        if (settings.logs.streamPublishingEnabled)
          broker.publish('logs', stored.map(toJson)).catch((error: unknown) => logger.warn({ error }, 'logs were not published'));
      },
    }),
    route({
      method: 'post',
      path: '/filter',
      name: 'read_logs',
      body: bodyParameters({ logs: logFilter.nullish(), ...page, sort: logSort.default('TIMESTAMP_ASC') }),
      response: z.array(log),
      status: 200,
      handler: ({ body }, context) => listLogs(context.database.kysely, body.logs, body.sort, readPage(body, context)),
    }),
  ],
};
