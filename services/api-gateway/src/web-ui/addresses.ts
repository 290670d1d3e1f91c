import type { UiVersion } from './bundles.ts';

/* Which address belongs to which of the two applications: pure (facts/hidden-endpoints.md §1). */

/** `/` or a path without a slash at its end. */
export type Base = string;

const SECOND = '/v2';

/** The bases of both applications below the configured one, which may be the first's or the second's. */
export function resolveBases(serveBase: string): Record<UiVersion, Base> {
  const base = `/${serveBase.replaceAll(/^\/+|\/+$/g, '')}`;
  if (base.endsWith(SECOND)) return { v1: base.slice(0, -SECOND.length) || '/', v2: base };
  return { v1: base, v2: join(base, SECOND) };
}

/** A path below a base. */
export function join(base: Base, path: string): string {
  return (base === '/' ? '' : base) + path;
}

/** What follows a base in a path, with its slash; undefined where the path is not below it. */
function relativeTo(base: Base, path: string): string | undefined {
  if (base === '/') return path;
  if (path === base) return '';
  return path.startsWith(`${base}/`) ? path.slice(base.length) : undefined;
}

/** The application that an address belongs to, and its path within; undefined outside of both. */
export function locate(bases: Record<UiVersion, Base>, path: string): { version: UiVersion; path: string } | undefined {
  // The first one's base may contain the second one's.
  for (const version of ['v2', 'v1'] as const) {
    const relative = relativeTo(bases[version], path);
    if (relative !== undefined) return { version, path: relative };
  }
  return undefined;
}
