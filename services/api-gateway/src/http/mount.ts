import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { parseJson } from '@praetor/schema/json';
import { ValidationError } from '@praetor/schema/errors';
import type { GatewayContext } from '../context.ts';
import { Reply, type Resource, type Route } from './route.ts';
import { validate } from './validation.ts';

/** A route whose schemas are compiled once, at mounting. */
interface Mounted {
  route: Route;
  params: z.ZodObject;
  query: z.ZodObject;
}

/** `/{id}/set_state` → `/:id/set_state`. Express answers both slash forms, as the README's deliberate list says. */
function toExpressPath(prefix: string, path: string): string {
  return (prefix + path).replaceAll(/\{(\w+)\}/g, ':$1').replace(/(?<=.)\/$/, '');
}

function readBody(request: Request): unknown {
  const text: unknown = request.body;
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    return parseJson(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'invalid JSON';
    const offset = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
    throw new ValidationError([{ type: 'json_invalid', loc: ['body', offset], msg: 'JSON decode error', input: {}, ctx: { error: message } }], text);
  }
}

export function send(response: Response, reply: Reply): void {
  response.status(reply.status);
  for (const [header, value] of Object.entries(reply.headers)) response.setHeader(header, value);
  if (reply.body === undefined || reply.status === 204) return void response.end();
  if (response.getHeader('content-type') === undefined) response.setHeader('content-type', 'application/json');
  const isText = !String(response.getHeader('content-type')).startsWith('application/json');
  response.end(isText ? String(reply.body) : JSON.stringify(reply.body));
}

async function handle({ route, params, query }: Mounted, context: GatewayContext, request: Request, response: Response, next: NextFunction): Promise<void> {
  const path = params.safeParse(request.params);
  // A path parameter that does not fit is another path: later routes, then 404 (facts/rules.md §1, path converters).
  if (!path.success) return next('route');
  const input = readBody(request);
  const body = route.body === undefined ? undefined : validate(route.body, input, ['body'], input);
  const result = await route.handler(
    {
      params: path.data,
      query: route.query === undefined ? {} : validate(query, request.query, ['query'], input),
      body,
      headers: request.headers,
      baseUrl: `${request.protocol}://${request.get('host') ?? 'localhost'}${request.baseUrl}`,
    },
    context,
  );
  send(response, result instanceof Reply ? result : new Reply(route.status, result === undefined && route.status !== 204 ? null : result));
}

function refuseMethod(allowed: readonly string[], params: z.ZodObject) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!params.safeParse(request.params).success) return next('route');
    send(response, new Reply(405, { detail: 'Method Not Allowed' }, { allow: allowed.join(', ') }));
  };
}

/** Builds the router of all resources: routes in the order of their tables, then 405 for known paths with other methods. */
export function mount(resources: readonly Resource[], context: GatewayContext, bodyLimitBytes: number): Router {
  const router = Router();
  router.use(express.text({ type: () => true, limit: bodyLimitBytes }));
  const known = new Map<string, { methods: string[]; params: z.ZodObject }>();
  for (const resource of resources)
    for (const route of resource.routes) {
      const path = toExpressPath(resource.prefix, route.path);
      const mounted = { route, params: z.object(route.params ?? {}), query: z.object(route.query ?? {}) };
      router[route.method](path, (request, response, next) => handle(mounted, context, request, response, next));
      const entry = known.get(path) ?? { methods: [], params: mounted.params };
      entry.methods.push(route.method.toUpperCase());
      known.set(path, entry);
    }
  for (const [path, { methods, params }] of known) router.all(path, refuseMethod(methods, params));
  return router;
}
