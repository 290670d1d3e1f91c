import { connect } from '@praetor/database/connect';
import { migrate } from '@praetor/database/migrate';
import { StartupError, runMain } from './lifecycle.ts';

/* `pnpm migrate`: brings the tables of PREFECT_SERVER_DATABASE_CONNECTION_URL up to date. */
await runMain('migrate', async ({ settings, logger }) => {
  const url = settings.database.connectionUrl;
  if (url === undefined) throw new StartupError('PREFECT_SERVER_DATABASE_CONNECTION_URL: which database shall be migrated?');
  await using database = connect(url, { poolSize: 1, statementTimeoutSeconds: settings.database.timeoutSeconds, applicationName: 'praetor-migrate' });
  await migrate(database, logger);
  logger.info('the database is up to date');
});
