import { listMisfits } from '@praetor/parameters/misfits';
import { readVariables } from '@praetor/parameters/workspace';
import { jsonObject } from '@praetor/schema/primitives';
import { schemaValidation } from '@praetor/schema/schema-validation';
import { bodyParameters } from '../../http/body.ts';
import { type Resource, route } from '../../http/route.ts';
import { nestErrors } from './nested-errors.ts';

/** Checks what is typed into the form of a run before it is sent. */
export const uiSchemas: Resource = {
  prefix: '/ui/schemas',
  tag: 'Schemas',
  routes: [
    route({
      method: 'post',
      path: '/validate',
      name: 'validate_obj',
      tags: ['UI', 'Schemas'],
      body: bodyParameters({ schema: jsonObject(), values: jsonObject() }),
      response: schemaValidation,
      status: 200,
      handler: async ({ body: { schema, values } }, { database }) => {
        const errors = nestErrors(listMisfits(values, schema, await readVariables(database.kysely, values)));
        return { errors, valid: errors.length === 0 };
      },
    }),
  ],
};
