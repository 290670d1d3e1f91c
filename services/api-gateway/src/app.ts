import compression from 'compression';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { GatewayContext } from './context.ts';
import { requireApiVersion, requireAuthentication } from './auth.ts';
import { allowOrigins } from './cors.ts';
import { requireCsrfToken } from './csrf-token/routes.ts';
import { toErrorReply } from './errors.ts';
import { mount, send } from './http/mount.ts';
import { Reply } from './http/route.ts';
import { createRequestMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { resources } from './resources.ts';

/** Answers of this size are worth compressing (facts/rules.md §2). */
const COMPRESSION_THRESHOLD_BYTES = 500;

/** The HTTP application of the gateway: middleware in Prefect's order, all resources under the API's base path, errors last. */
export function createApp(context: GatewayContext): Express {
  const { settings, logger } = context;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(createRequestMetrics(context.registry));
  app.use(allowOrigins(settings.api));
  app.use(compression({ threshold: COMPRESSION_THRESHOLD_BYTES }));
  app.use(
    settings.api.basePath,
    requireCsrfToken(context),
    requireAuthentication(settings.api.authString),
    requireApiVersion,
    mount(resources, context, settings.api.bodyLimitBytes),
  );
  app.get(`${settings.api.basePath}/openapi.json`, (_request, response) => send(response, new Reply(200, describeApi(resources))));
  if (settings.metricsEnabled)
    app.get(`${settings.api.basePath}/metrics`, async (_request, response) => {
      send(response, new Reply(200, await context.registry.metrics(), { 'content-type': context.registry.contentType }));
    });
  app.use((_request: Request, response: Response) => send(response, new Reply(404, { detail: 'Not Found' })));
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const { reply, expected } = toErrorReply(error);
    if (!expected) logger.error({ error, method: request.method, url: request.originalUrl }, 'request failed');
    if (response.headersSent) response.destroy();
    else send(response, reply);
  });
  return app;
}
