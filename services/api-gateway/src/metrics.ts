import type { NextFunction, Request, Response } from 'express';
import { Histogram, type Registry } from 'prom-client';

/** Middleware that times every request by method, route pattern and status class. */
export function createRequestMetrics(registry: Registry) {
  const duration = new Histogram({
    name: 'praetor_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return (request: Request, response: Response, next: NextFunction): void => {
    const start = performance.now();
    response.once('finish', () => {
      // The pattern, not the URL: ids must not become label values.
      const pattern: unknown = request.route?.path;
      const route = typeof pattern === 'string' ? pattern : 'unmatched';
      duration.observe({ method: request.method, route, status: `${Math.floor(response.statusCode / 100)}xx` }, (performance.now() - start) / 1000);
    });
    next();
  };
}
