import { z } from 'zod';
import { deadLetter, deadLetterFilter } from '@praetor/schema/dead-letter';
import { NotFoundError } from '@praetor/schema/errors';
import { integer, uuid } from '@praetor/schema/primitives';
import { bodyParameters } from '../http/body.ts';
import { page, readPage } from '../http/pagination.ts';
import { type Resource, route } from '../http/route.ts';
import { countDeadLetters, deleteDeadLetters, findDeadLetter, listDeadLetters, replayDeadLetters } from './queries.ts';

const NOT_FOUND = 'Dead letter not found';
const filter = { dead_letters: deadLetterFilter.nullish() };
const counted = z.object({ count: integer() }).meta({ id: 'DeadLetterCount' });

/** Messages that consumers gave up: to look at, to replay once the cause is mended, to delete. Ours; Prefect drops such messages. */
export const deadLetters: Resource = {
  prefix: '/admin/dead-letters',
  tag: 'Admin',
  routes: [
    route({
      method: 'post',
      path: '/filter',
      name: 'read_dead_letters',
      body: bodyParameters({ ...filter, ...page }),
      response: z.array(deadLetter),
      status: 200,
      hidden: true,
      handler: ({ body }, context) => listDeadLetters(context.database.sql, body.dead_letters, readPage(body, context)),
    }),
    route({
      method: 'post',
      path: '/count',
      name: 'count_dead_letters',
      body: bodyParameters(filter),
      response: integer(),
      status: 200,
      hidden: true,
      handler: ({ body }, { database }) => countDeadLetters(database.sql, body.dead_letters),
    }),
    route({
      method: 'post',
      path: '/replay',
      name: 'replay_dead_letters',
      body: bodyParameters(filter),
      response: counted,
      status: 200,
      hidden: true,
      handler: async ({ body }, { database, broker }) => ({ count: await replayDeadLetters(database.sql, broker, body.dead_letters) }),
    }),
    route({
      method: 'get',
      path: '/{id}',
      name: 'read_dead_letter',
      params: { id: uuid() },
      response: deadLetter,
      status: 200,
      hidden: true,
      handler: async ({ params }, { database }) => {
        const letter = await findDeadLetter(database.sql, params.id);
        if (letter === undefined) throw new NotFoundError(NOT_FOUND);
        return letter;
      },
    }),
    route({
      method: 'delete',
      path: '/{id}',
      name: 'delete_dead_letter',
      params: { id: uuid() },
      status: 204,
      hidden: true,
      handler: async ({ params }, { database }) => {
        if ((await deleteDeadLetters(database.sql, { id: { any_: [params.id] } })) === 0) throw new NotFoundError(NOT_FOUND);
      },
    }),
  ],
};
