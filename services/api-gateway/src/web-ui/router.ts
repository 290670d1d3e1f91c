import path from 'node:path';
import { type NextFunction, type Request, type Response, Router } from 'express';
import type { Settings } from '@praetor/schema/settings';
import { send } from '../http/mount.ts';
import { Reply } from '../http/route.ts';
import { join, locate, resolveBases } from './addresses.ts';
import { type Bundle, type Bundles, UI_VERSIONS, type UiVersion } from './bundles.ts';
import { writeSecurityPolicy } from './security-policy.ts';

const COOKIE = 'prefect_ui_version';
/** Stands in the files for the base that they are served from. */
const PLACEHOLDER = '/PREFECT_UI_SERVE_BASE_REPLACE_PLACEHOLDER';
const TEXT_FILES = new Set(['.txt', '.html', '.css', '.js', '.json']);
const INDEX = 'index.html';

/** Names of assets hold a hash of their content; the page that names them must be asked for again; the rest changes seldom. */
function cacheControl(file: string): string {
  if (file === INDEX) return 'no-cache';
  return file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=3600';
}

function isNavigation(request: Request): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination, accept = '' } = request.headers;
  return mode === 'navigate' || destination === 'document' || destination === 'iframe' || /text\/html|application\/xhtml\+xml/i.test(accept);
}

function readCookie(request: Request, name: string): string | undefined {
  const pairs = request.get('cookie')?.split(';') ?? [];
  return pairs.map((pair) => pair.trim().split('=')).find(([key]) => key === name)?.[1];
}

/** The name of a file in an address; one that cannot be decoded names nothing. */
function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/**
 * Serves Prefect's own web UI from where it is installed, changed only in memory (facts/hidden-endpoints.md §1): both
 * applications below their bases, the page itself for every address of theirs, and what they ask first, `/ui-settings`.
 */
export function createWebUiRouter({ ui, api }: Pick<Settings, 'ui' | 'api'>, bundles: Bundles['byVersion']): Router {
  const bases = resolveBases(ui.serveBase);
  const available = UI_VERSIONS.filter((version) => bundles.has(version));
  const wanted: UiVersion = ui.v2Enabled ? 'v2' : 'v1';
  const preferred = available.includes(wanted) ? wanted : (available[0] ?? wanted);
  const securityPolicy = writeSecurityPolicy(ui.apiUrl);

  async function sendFile(response: Response, version: UiVersion, bundle: Bundle, file: string): Promise<void> {
    const content = (await bundle.get(file)?.()) ?? Buffer.alloc(0);
    const base = bases[version] === '/' ? '' : bases[version];
    const body = TEXT_FILES.has(path.posix.extname(file)) ? Buffer.from(content.toString('utf8').replaceAll(PLACEHOLDER, base)) : content;
    response.type(path.posix.extname(file)).set({ 'cache-control': cacheControl(file), 'content-security-policy': securityPolicy, 'content-length': String(body.length) });
    response.end(body);
  }

  /** The application that somebody who asks for the first one's entry would rather see. */
  function choose(request: Request): UiVersion {
    const remembered = available.find((version) => version === readCookie(request, COOKIE));
    return remembered ?? preferred;
  }

  function redirect(request: Request, response: Response, target: string): void {
    const query = request.originalUrl.split(/\?(.*)/s)[1];
    response.redirect(307, query === undefined ? target : `${target}?${query}`);
  }

  /** Answers with a file, the page, or the way to another application; what is none of them is somebody else's. */
  async function serve(request: Request, response: Response, next: NextFunction): Promise<void> {
    const place = locate(bases, request.path);
    if (!place || available.length === 0) return next();
    const { version, path: below } = place;
    const isEntry = below === '' || below === '/';
    if (isNavigation(request) && (version === 'v2' ? !bundles.has('v2') : isEntry)) {
      const chosen = choose(request);
      // Two slashes in front would name another host.
      if (chosen !== version) return redirect(request, response, join(bases[chosen], below.replace(/^\/*/, '/')));
    }
    const bundle = bundles.get(version);
    if (!bundle) return next();
    if (below === '') return redirect(request, response, `${bases[version]}/`);
    const file = isEntry ? INDEX : decode(below.slice(1));
    if (bundle.has(file)) return await sendFile(response, version, bundle, file);
    if (isNavigation(request)) return await sendFile(response, version, bundle, INDEX);
    next();
  }

  const router = Router();
  router.get(join(bases.v1, '/ui-settings'), (_request, response) =>
    send(
      response,
      new Reply(200, {
        // A path is right behind every proxy and name of this server.
        api_url: ui.apiUrl ?? api.basePath,
        csrf_enabled: api.csrfProtectionEnabled,
        auth: api.authString === undefined ? null : 'BASIC',
        flags: [],
        default_ui: preferred,
        available_uis: available,
        v1_base_url: bundles.has('v1') ? bases.v1 : null,
        v2_base_url: bundles.has('v2') ? bases.v2 : null,
      }),
    ),
  );
  router.get(/.*/, (request, response, next) => serve(request, response, next));
  if (available.length === 0)
    router.get(bases.v1, (_request, response) =>
      send(response, new Reply(200, `Praetor. The API is at ${api.basePath}, its documentation at ${api.basePath}/docs. There is no web UI here.\n`, { 'content-type': 'text/plain' })),
    );
  return router;
}
