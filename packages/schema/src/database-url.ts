/** What Prefect users give instead of a whole URL, or fill its placeholder with. */
interface DatabaseParts {
  connectionUrl?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  user?: string | undefined;
  name?: string | undefined;
  password?: string | undefined;
}

const PASSWORD_PLACEHOLDER = /\$\{PREFECT_(?:API|SERVER)_DATABASE_PASSWORD\}/g;

/**
 * The URL of the database: the given one, in which `${PREFECT_SERVER_DATABASE_PASSWORD}` stands for the password, or one
 * made of the parts where a host is given. Undefined where there is neither.
 */
export function composeDatabaseUrl({ connectionUrl, host, port = 5432, user = 'postgres', name = 'prefect', password = '' }: DatabaseParts): string | undefined {
  if (connectionUrl !== undefined) return connectionUrl.replaceAll(PASSWORD_PLACEHOLDER, () => encodeURIComponent(password));
  if (host === undefined) return undefined;
  // Colons stand in the addresses of IPv6, slashes in the folders of Unix sockets.
  const place = host.includes('/') ? `localhost:${port}/${encodeURIComponent(name)}?host=${encodeURIComponent(host)}` : `${host.includes(':') ? `[${host}]` : host}:${port}/${encodeURIComponent(name)}`;
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${place}`;
}
