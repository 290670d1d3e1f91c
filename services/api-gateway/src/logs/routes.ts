import { z } from 'zod';
import { logFilter, logSort } from '@praetor/schema/filters/log';
import { toJson } from '@praetor/schema/json';
import { log, logCreate } from '@praetor/schema/log';
import { refuse } from '@praetor/schema/problem';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { insertLogs, listLogs } from './queries.ts';

/** pydantic knows the list of this route alone as a sequence. */
const batch = z.preprocess((body, context) => {
  if (body === undefined || body === null || Array.isArray(body)) return body;
  return refuse(context, body, 'is_instance_of', 'Input should be an instance of Sequence', { class: 'Sequence' });
}, z.array(logCreate));

export const logs: Resource = {
  prefix: '/logs',
  tag: 'Logs',
  routes: [
    route({
      method: 'post',
      path: '/',
      name: 'create_logs',
      body: batch,
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
      body: bodyParameters({ ...page, logs: logFilter.nullish(), sort: logSort.default('TIMESTAMP_ASC') }),
      response: z.array(log),
      status: 200,
      handler: ({ body }, context) => listLogs(context.database.kysely, body.logs, body.sort, readPage(body, context)),
    }),
  ],
};
