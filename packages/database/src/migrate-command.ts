import { parseArgs } from 'node:util';
import { connect } from './connect.ts';
import { classifyDatabaseError } from './errors.ts';
import { IncompatibleDatabaseError, migrate } from './migrate.ts';

/* `pnpm migrate [--url postgresql://…]`: brings the tables up to date. */
const { values } = parseArgs({ options: { url: { type: 'string' } } });
const url = values.url ?? process.env['PREFECT_SERVER_DATABASE_CONNECTION_URL'];

if (url === undefined) {
  console.error('Which database? Set PREFECT_SERVER_DATABASE_CONNECTION_URL or give --url.');
  process.exitCode = 2;
} else {
  await using database = connect(url, { poolSize: 1, statementTimeoutSeconds: 10, applicationName: 'praetor-migrate' });
  try {
    await migrate(database, { info: (message) => console.log(message) });
    console.log('The database is up to date.');
  } catch (error) {
    const foreseen = error instanceof IncompatibleDatabaseError || classifyDatabaseError(error) !== undefined;
    if (!(error instanceof Error) || !foreseen) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
