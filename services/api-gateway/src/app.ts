import compression from 'compression';
import express, { type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { requireAuthentication } from './access/authentication.ts';
import { allowOrigins } from './access/cors.ts';
import { limitRequests } from './access/rate-limit.ts';
import { addSecurityHeaders } from './access/security-headers.ts';
import type { GatewayContext } from './context.ts';
import { requireCsrfToken } from './csrf-token/routes.ts';
import { createDocumentation, redirectToDocumentation } from './documentation/router.ts';
import { toErrorReply } from './errors.ts';
import { mount, send } from './http/mount.ts';
import { Reply } from './http/route.ts';
import { createRequestMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { resources } from './resources.ts';

/** Answers of this size are worth compressing (facts/rules.md §2). */
const COMPRESSION_THRESHOLD_BYTES = 500;

/** The HTTP application of the gateway: middleware in Prefect's order, all resources under the API's base path, then the web UI, errors last. */
export function createApp(context: GatewayContext, webUi: RequestHandler): Express {
  const { settings, logger } = context;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  // Of a parameter that is given twice, the last counts.
  app.set('query parser', (text: string | null) => Object.fromEntries(new URLSearchParams(text ?? '')));
  // X-Forwarded-… counts only where it comes from these; `*` is everybody.
  app.set('trust proxy', settings.api.trustedProxies.includes('*') || settings.api.trustedProxies);
  app.use(createRequestMetrics(context.registry));
  app.use(addSecurityHeaders);
  app.use(allowOrigins(settings.api));
  app.use(compression({ threshold: COMPRESSION_THRESHOLD_BYTES }));
  app.use(settings.api.basePath, limitRequests(settings.api.rateLimitPerMinute));
  app.use(requireCsrfToken(context));
  app.use(
    settings.api.basePath,
    requireAuthentication(settings.api.authString),
    mount(resources, context, settings.api.bodyLimitBytes),
  );
  app.use(settings.api.basePath, createDocumentation(() => describeApi(resources), settings.api.basePath));
  if (settings.metricsEnabled)
    app.get(`${settings.api.basePath}/metrics`, async (_request, response) => {
      send(response, new Reply(200, await context.registry.metrics(), { 'content-type': context.registry.contentType }));
    });
  const refuse = (_request: Request, response: Response) => send(response, new Reply(404, { detail: 'Not Found' }));
  app.use(settings.api.basePath, refuse);
  app.use(redirectToDocumentation(settings.api.basePath));
  app.use(webUi);
  app.use(refuse);
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const { reply, expected } = toErrorReply(error);
    if (!expected) logger.error({ error, method: request.method, url: request.originalUrl }, 'request failed');
    if (response.headersSent) response.destroy();
    else send(response, reply);
  });
  return app;
}
