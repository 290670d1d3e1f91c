import { z } from 'zod';
import type { JsonObject } from '@praetor/schema/json';
import { API_VERSION } from '@praetor/schema/versions';
import type { Resource, Route } from './http/route.ts';

type Direction = 'input' | 'output';
type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Zod prints what a JavaScript number can hold as bounds, and its own regular expression beside a format: both are noise here. */
function dropNoise({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
}

/** Collects named schemas under `components.schemas` while operations refer to them. */
class Components {
  readonly schemas: Record<string, JsonSchema> = {};

  /** The JSON schema of a zod schema; what carries an id (`.meta({ id })`) becomes a reference. */
  describe(schema: z.ZodType, io: Direction): JsonSchema {
    const { $schema: _, $defs = {}, ...described } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: dropNoise });
    for (const [id, definition] of Object.entries($defs)) this.#add(id, definition);
    if (typeof described.id !== 'string') return this.#relocate(described);
    this.#add(described.id, described);
    return { $ref: `#/components/schemas/${described.id}` };
  }

  #add(id: string, { id: _, ...definition }: JsonSchema): void {
    this.schemas[id] ??= this.#relocate(definition);
  }

  #relocate(definition: JsonSchema): JsonSchema {
    return JSON.parse(JSON.stringify(definition).replaceAll('"#/$defs/', '"#/components/schemas/')) as JsonSchema;
  }
}

function describeParameters(route: Route, components: Components) {
  const describe = (place: 'path' | 'query', parameters: Record<string, z.ZodType> = {}) =>
    Object.entries(parameters).map(([name, schema]) => ({
      name,
      in: place,
      required: place === 'path' || !schema.safeParse(undefined).success,
      schema: components.describe(schema, 'input'),
    }));
  return [...describe('path', route.params), ...describe('query', route.query)];
}

function describeOperation(resource: Resource, route: Route, components: Components): JsonObject {
  const content = (schema: z.ZodType, io: Direction) => ({ 'application/json': { schema: components.describe(schema, io) } });
  const answer = { description: '', ...(route.response && { content: content(route.response, 'output') }) };
  const operation = {
    tags: [resource.tag],
    operationId: route.name,
    parameters: describeParameters(route, components),
    ...(route.body && { requestBody: { required: !route.body.safeParse(undefined).success, content: content(route.body, 'input') } }),
    responses: Object.fromEntries([route.status, ...(route.otherStatuses ?? [])].map((status) => [String(status), answer])),
  };
  return JSON.parse(JSON.stringify(operation)) as JsonObject;
}

/** The OpenAPI document of a route table: a pure function of it. Paths are relative to the API's base path. */
export function describeApi(resources: readonly Resource[]): JsonObject {
  const components = new Components();
  const paths: Record<string, JsonObject> = {};
  for (const resource of resources)
    for (const route of resource.routes) {
      if (route.hidden === true) continue;
      const path = resource.prefix + route.path;
      paths[path] = { ...paths[path], [route.method]: describeOperation(resource, route, components) };
    }
  const schemas = JSON.parse(JSON.stringify(components.schemas)) as JsonObject;
  return { openapi: '3.1.0', info: { title: 'Praetor: the Prefect REST API', version: API_VERSION }, paths, components: { schemas } };
}
