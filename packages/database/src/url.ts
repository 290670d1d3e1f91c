import type { ConnectionOptions } from 'node:tls';

export interface Address {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  ssl: boolean | ConnectionOptions;
  /** One session stands behind all connections, so there can be but one (PGlite; `?shared_session=true`). */
  sharedSession: boolean;
}

/** What libpq and asyncpg call the ways of TLS. `prefer` and `allow` mean "unencrypted is well enough" to both. */
function sslOf(mode: string): boolean | ConnectionOptions {
  if (['', 'disable', 'allow', 'prefer', 'false'].includes(mode)) return false;
  return mode === 'require' ? { rejectUnauthorized: false } : true;
}

/**
 * Where a database URL points. Understands what Prefect users write: SQLAlchemy's `postgresql+asyncpg://…` (the driver's
 * name means nothing here), `?ssl=` or `?sslmode=`, and a Unix socket's folder as `?host=` (`postgresql://user@/name?host=/run`).
 * Throws TypeError on what is no URL.
 */
export function parseDatabaseUrl(text: string): Address {
  const withHost = text.replace(/^(postgres\w*(?:\+\w+)?:\/\/(?:[^/@]*@)?)\//, '$1localhost/');
  const url = new URL(withHost);
  const parameter = (name: string): string => url.searchParams.get(name) ?? '';
  const user = decodeURIComponent(url.username) || 'postgres';
  return {
    host: parameter('host') || decodeURIComponent(url.hostname).replaceAll(/[[\]]/g, ''),
    port: Number(url.port || parameter('port') || 5432),
    user,
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    ssl: sslOf(parameter('sslmode') || parameter('ssl')),
    sharedSession: parameter('shared_session') === 'true',
  };
}
