import { pipeline } from 'node:stream/promises';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { assertApiVersion } from '../access/api-version.ts';
import type { GatewayContext } from '../context.ts';
import { readBody } from './read-body.ts';
import { Reply, type Resource, type Route } from './route.ts';
import { validate } from './validation.ts';

/** A route whose schemas are compiled once, at mounting. */
interface Mounted {
  route: Route;
  params: z.ZodObject;
  query: z.ZodObject;
  headers: z.ZodObject;
}

/** `/{id}/set_state` → `/:id/set_state`. Express answers both slash forms, as the README's deliberate list says. */
function toExpressPath(prefix: string, path: string): string {
  return (prefix + path).replaceAll(/\{(\w+)\}/g, ':$1').replace(/(?<=.)\/$/, '');
}

function isStream(body: unknown): body is AsyncIterable<string> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** Sends a body as fast as the client takes it, and stops asking for more when the client has left. */
async function stream(response: Response, body: AsyncIterable<string>): Promise<void> {
  try {
    await pipeline(body, response);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    throw error;
  }
}

export function send(response: Response, reply: Reply): void {
  response.status(reply.status);
  for (const [header, value] of Object.entries(reply.headers)) response.setHeader(header, value);
  if (reply.body === undefined || reply.status === 204) return void response.end();
  if (response.getHeader('content-type') === undefined) response.setHeader('content-type', 'application/json');
  const isText = !String(response.getHeader('content-type')).startsWith('application/json');
  const text = isText ? String(reply.body) : JSON.stringify(reply.body);
  // Its length spares an answer that is not compressed the form in chunks.
  response.setHeader('content-length', Buffer.byteLength(text)).end(text);
}

/** Prefect refuses some path parameters that do not fit, instead of looking for another route: those without a path converter. */
function hasRefusals({ params = {} }: Route): boolean {
  return Object.values(params).some((schema) => schema.meta()?.['converted'] === false);
}

async function handle({ route, params, query, headers }: Mounted, context: GatewayContext, request: Request, response: Response, next: NextFunction): Promise<void> {
  // Express answers HEAD by GET; Prefect knows no HEAD (facts/hidden-endpoints.md §1).
  if (request.method === 'HEAD') return next('route');
  const path = params.safeParse(request.params);
  const isRead = route.body !== undefined && (path.success || hasRefusals(route));
  const { value: input, isJson } = isRead ? readBody(request) : { value: undefined, isJson: true };
  // A path parameter that does not fit is another path: later routes, then 404 (facts/rules.md §1, path converters).
  if (!path.success) return hasRefusals(route) ? void validate(params, request.params, ['path'], input) : next('route');
  assertApiVersion(request.get('x-prefect-api-version'), request.path);
  if (route.headerParameters !== undefined) validate(headers, request.headers, ['header'], input);
  // Where there are several parameters, text that is not called JSON holds none of them.
  const isHeld = isJson || route.body?.meta()?.['parameters'] !== true;
  const body = route.body === undefined ? undefined : validate(route.body, isHeld ? input : undefined, ['body'], input);
  const result = await route.handler(
    {
      params: path.data,
      query: route.query === undefined ? {} : validate(query, request.query, ['query'], input),
      body,
      sent: input,
      headers: request.headers,
      baseUrl: `${request.protocol}://${request.host}${request.baseUrl}`,
    },
    context,
  );
  const reply = result instanceof Reply ? result : new Reply(route.status, result === undefined && route.status !== 204 ? null : result);
  if (!isStream(reply.body)) return send(response, reply);
  response.status(reply.status).set(reply.headers);
  await stream(response, reply.body);
}

function refuseMethod(allowed: readonly string[], params: z.ZodObject) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!params.safeParse(request.params).success) return next('route');
    send(response, new Reply(405, { detail: 'Method Not Allowed' }, { allow: allowed.join(', ') }));
  };
}

/** Builds the router of all resources: routes in the order of their tables, then 405 for known paths with other methods. */
export function mount(resources: readonly Resource[], context: GatewayContext, bodyLimitBytes: number): Router {
  const router = Router({ caseSensitive: true });
  router.use(express.raw({ type: () => true, limit: bodyLimitBytes }));
  const known = new Map<string, { methods: string[]; params: z.ZodObject }>();
  for (const resource of resources)
    for (const route of resource.routes) {
      const path = toExpressPath(resource.prefix, route.path);
      const mounted = { route, params: z.object(route.params ?? {}), query: z.object(route.query ?? {}), headers: z.object(route.headerParameters ?? {}) };
      router[route.method](path, (request, response, next) => handle(mounted, context, request, response, next));
      const entry = known.get(path) ?? { methods: [], params: mounted.params };
      entry.methods.push(route.method.toUpperCase());
      known.set(path, entry);
    }
  for (const [path, { methods, params }] of known) router.all(path, refuseMethod(methods, params));
  return router;
}
