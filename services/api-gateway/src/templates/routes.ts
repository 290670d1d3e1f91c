import { z } from 'zod';
import { findTemplateFault } from '@praetor/templates/validate';
import { Reply, type Resource, route } from '../http/route.ts';

/** Says whether a template can be read. Pages of the UI still ask by the older path. */
const validateAt = (path: string, name: string) =>
  route({
    method: 'post',
    path,
    name,
    body: z.string().nullish().meta({ describedAs: z.string().default('') }),
    response: null,
    status: 200,
    handler: ({ body }) => {
      const source = body ?? '';
      const fault = findTemplateFault(source);
      return fault === undefined ? new Reply(204) : new Reply(422, { error: { line: fault.line, message: fault.message, source } });
    },
  });

export const templates: Resource = {
  prefix: '',
  tag: 'Automations',
  routes: [validateAt('/templates/validate', 'validate_template'), validateAt('/automations/templates/validate', 'validate_template')],
};
