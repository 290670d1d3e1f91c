import { z } from 'zod';
import type { JsonObject } from '@praetor/schema/json';
import { API_VERSION } from '@praetor/schema/versions';
import type { Resource, Route } from './http/route.ts';
import { Components } from './openapi/json-schema.ts';

/** The answer to what does not fit its schema, as FastAPI announces it. */
const validationProblem = z
  .object({
    loc: z.array(z.union([z.string(), z.int()])),
    msg: z.string(),
    type: z.string(),
    input: z.unknown().optional(),
    ctx: z.unknown().meta({ type: 'object', required: false }),
  })
  .meta({ id: 'ValidationError' });

const validationFailure = z.object({ detail: z.array(validationProblem).optional() }).meta({ id: 'HTTPValidationError' });

/** Each request may say which version of the API its sender knows. */
const apiVersion = { name: 'x-prefect-api-version', in: 'header', required: false, schema: { type: 'string' } };

/** `read_flow` at `/flows/{id}` → `read_flow_flows__id__get`. */
function operationId({ name, method }: Route, path: string): string {
  return `${name}${path}`.replaceAll(/\W/g, '_') + `_${method}`;
}

class Operations {
  readonly components = new Components();

  describe(resource: Resource, route: Route): JsonObject {
    const id = operationId(route, resource.prefix + route.path);
    const parameters = [
      ...this.#describeParameters('path', route.params),
      ...this.#describeParameters('query', route.query),
      ...this.#describeParameters('header', route.headerParameters),
      ...(route.unversioned === true ? [] : [apiVersion]),
    ];
    const statuses = [route.status, ...(route.otherStatuses ?? [])];
    const answer = { description: '', ...(route.status !== 204 && route.response !== null && { content: this.#content(route.response ?? z.unknown()) }) };
    const operation = {
      ...(route.tags?.length !== 0 && { tags: route.tags ?? [resource.tag] }),
      operationId: id,
      ...(route.deprecated === true && { deprecated: true }),
      ...(parameters.length > 0 && { parameters }),
      ...(route.body && { requestBody: this.#describeBody(route.body, id) }),
      responses: {
        ...Object.fromEntries(statuses.map((status) => [String(status), answer])),
        ...((parameters.length > 0 || route.body) && { 422: { description: '', content: this.#content(validationFailure) } }),
      },
    };
    return JSON.parse(JSON.stringify(operation)) as JsonObject;
  }

  #content(schema: z.ZodType, name?: string) {
    return { 'application/json': { schema: name === undefined ? this.components.describe(schema) : this.components.define(name, schema) } };
  }

  #describeParameters(place: 'path' | 'query' | 'header', parameters: Record<string, z.ZodType> = {}) {
    const shown = Object.entries(parameters).filter(([, schema]) => schema.meta()?.['hidden'] !== true);
    return shown.map(([name, schema]) => ({
      name,
      in: place,
      required: place === 'path' || !schema.safeParse(undefined).success,
      schema: this.components.describe(schema),
    }));
  }

  /** Several body parameters make a schema of their own, which is named after its operation. */
  #describeBody(body: z.ZodType, id: string) {
    const isRequired = !body.safeParse(undefined).success;
    const parameters = body.meta()?.['parameters'] === true;
    return { ...(isRequired && { required: true }), content: this.#content(body, parameters ? `Body_${id}` : undefined) };
  }
}

/** The OpenAPI document of a route table: a pure function of it. Paths are relative to the API's base path. */
export function describeApi(resources: readonly Resource[]): JsonObject {
  const operations = new Operations();
  const paths: Record<string, JsonObject> = {};
  for (const resource of resources)
    for (const route of resource.routes) {
      if (route.hidden === true) continue;
      const path = resource.prefix + route.path;
      paths[path] = { ...paths[path], [route.method]: operations.describe(resource, route) };
    }
  const schemas = JSON.parse(JSON.stringify(operations.components.schemas)) as JsonObject;
  return { openapi: '3.1.0', info: { title: 'Praetor: the Prefect REST API', version: API_VERSION }, paths, components: { schemas } };
}
