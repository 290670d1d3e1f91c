import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import type { JsonObject } from '@praetor/schema/json';
import { send } from '../http/mount.ts';
import { Reply } from '../http/route.ts';

/** The files of Swagger UI that its page needs. */
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;
const FOLDER = fileURLToPath(new URL('.', import.meta.resolve('swagger-ui-dist/package.json')));

/** The page; its links are relative to the API's base path. */
const page = (basePath: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<base href="${basePath}/">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Praetor: the Prefect REST API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, layout: 'BaseLayout' });\n`;

/** Nothing comes from elsewhere; Swagger UI sets styles from its scripts. */
const SECURITY_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'";

/** The document of the API, made when it is first asked for, and the page that shows it; below the API's base path. */
export function createDocumentation(describe: () => JsonObject, basePath: string): Router {
  const router = Router();
  let document: JsonObject | undefined;
  router.get('/openapi.json', (_request, response) => {
    document ??= { ...describe(), servers: [{ url: basePath }] };
    send(response, new Reply(200, document));
  });
  router.get('/docs', (_request, response) =>
    send(response, new Reply(200, page(basePath), { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': SECURITY_POLICY })),
  );
  router.get('/docs/start.js', (_request, response) => send(response, new Reply(200, START, { 'content-type': 'text/javascript; charset=utf-8' })));
  for (const asset of ASSETS) router.get(`/docs/${asset}`, (_request, response) => response.sendFile(asset, { root: FOLDER, maxAge: '1d' }));
  // Prefect shows the same document in a second way.
  router.get('/redoc', (_request, response) => response.redirect(307, `${basePath}/docs`));
  return router;
}

/** Where the documentation is, for who looks beside the API. */
export function redirectToDocumentation(basePath: string): Router {
  const router = Router();
  for (const name of ['docs', 'redoc', 'openapi.json']) router.get(`/${name}`, (_request, response) => response.redirect(307, `${basePath}/${name}`));
  return router;
}
