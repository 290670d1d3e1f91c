import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { GatewayContext } from '../context.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Shape = Record<string, z.ZodType>;
type Values<S extends Shape> = { [K in keyof S]: z.output<S[K]> };

/** A validated request as a handler sees it. */
export interface RouteRequest<P extends Shape, Q extends Shape, B extends z.ZodType> {
  params: Values<P>;
  query: Values<Q>;
  body: z.output<B>;
  /** The body as it was sent, which a refusal repeats. */
  sent: unknown;
  headers: IncomingHttpHeaders;
  /** Absolute URL of the API as the client sees it, without a trailing slash. */
  baseUrl: string;
}

/** An answer that differs from the route's own status, or carries headers, a text body or one that is made while it is sent (an AsyncIterable of text). */
export class Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;
  constructor(status: number, body?: unknown, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export interface RouteDefinition<P extends Shape, Q extends Shape, B extends z.ZodType> {
  method: Method;
  /** OpenAPI form, relative to the resource: `/{id}/set_state`. */
  path: string;
  /** Operation name in the document. */
  name: string;
  params?: P;
  query?: Q;
  body?: B;
  /** Headers with a meaning of their own, refused where they do not fit; handlers read them from `headers`. The document leaves out `hidden` ones. */
  headerParameters?: Shape;
  deprecated?: boolean;
  /** In place of the resource's. */
  tags?: readonly string[];
  /** Left out of the document's header parameter that every other route has. */
  unversioned?: boolean;
  /** Schema of the answer, for the document and the tests; answers are not re-validated at run time. Null: an answer that the document says nothing about. */
  response?: z.ZodType | null;
  /** Status of a plain return value. Also-possible statuses (`200` of an upsert) are listed in `otherStatuses`. */
  status: number;
  otherStatuses?: readonly number[];
  /** Left out of the document, as Prefect does with its own (facts/hidden-endpoints.md). */
  hidden?: boolean;
  handler: (request: RouteRequest<P, Q, B>, context: GatewayContext) => unknown;
}

/** A route with its types forgotten, as the server and the document read it. */
export type Route = Omit<RouteDefinition<Shape, Shape, z.ZodType>, 'handler'> & {
  handler: (request: RouteRequest<Shape, Shape, z.ZodType>, context: GatewayContext) => unknown;
};

/** One resource of the API: a prefix, the tag of the document, and its routes in matching order. */
export interface Resource {
  prefix: string;
  tag: string;
  routes: readonly Route[];
}

/** Declares a route; only here are the handler's types tied to its schemas. */
export function route<P extends Shape = {}, Q extends Shape = {}, B extends z.ZodType = z.ZodUndefined>(definition: RouteDefinition<P, Q, B>): Route {
  // The handler is called with exactly what these schemas parsed (mount.ts), so forgetting the types is sound.
  return definition as unknown as Route;
}
