import { parseArgs } from 'node:util';
import { connect } from './connect.ts';
import { classifyDatabaseError } from './errors.ts';
import { IncompatibleDatabaseError, migrate } from './migrate.ts';

/* `pnpm migrate [--url postgresql://…]`: brings the tables up to date. */
const print = (line: string) => process.stdout.write(`${line}\n`);
const printError = (line: string) => process.stderr.write(`${line}\n`);
const { values } = parseArgs({ options: { url: { type: 'string' } } });
const url = values.url ?? process.env['PREFECT_SERVER_DATABASE_CONNECTION_URL'];

if (url === undefined) {
  printError('Which database? Set PREFECT_SERVER_DATABASE_CONNECTION_URL or give --url.');
  process.exitCode = 2;
} else {
  await using database = connect(url, { poolSize: 1, statementTimeoutSeconds: 10, applicationName: 'praetor-migrate' });
  try {
    await migrate(database, { info: print });
    print('The database is up to date.');
  } catch (error) {
    const foreseen = error instanceof IncompatibleDatabaseError || classifyDatabaseError(error) !== undefined;
    if (!(error instanceof Error) || !foreseen) throw error;
    printError(error.message);
    process.exitCode = 1;
  }
}
