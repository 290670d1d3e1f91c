import { setTimeout as sleep } from 'node:timers/promises';
import { createApiGateway } from '@praetor/api-gateway/service';
import { createAutomations } from '@praetor/automations/service';
import { createBroadcaster } from '@praetor/broadcaster/service';
import { HomeInUseError, openEmbedded } from '@praetor/database/embedded';
import { createEventPersister } from '@praetor/event-persister/service';
import { createForeman } from '@praetor/foreman/service';
import { createLateRuns } from '@praetor/late-runs/service';
import { createLeaseCleanup } from '@praetor/lease-cleanup/service';
import { type Process, StartupError, runMain, runServices } from '@praetor/runtime/lifecycle';
import { openContext } from '@praetor/runtime/process';
import { createRetention } from '@praetor/retention/service';
import { createScheduler } from '@praetor/scheduler/service';
import { createTaskRunRecorder } from '@praetor/task-run-recorder/service';
import { assertPortFree } from './port.ts';

/* `pnpm start`: every service in one process, on its own database unless it is given one. */

interface DataStore extends AsyncDisposable {
  readonly url: string;
  /** Where the data is, for people. */
  readonly place: string;
}

async function openData({ settings, logger }: Process): Promise<DataStore> {
  const { connectionUrl, embedded: kind } = settings.database;
  if (connectionUrl !== undefined) return { url: connectionUrl, place: 'the given Postgres', async [Symbol.asyncDispose]() {} };
  try {
    const embedded = await openEmbedded({ home: settings.home, ...(kind !== 'auto' && { kind }), log: (line) => logger.warn(line) });
    return { url: embedded.url, place: `${settings.home} (${embedded.kind})`, [Symbol.asyncDispose]: () => embedded[Symbol.asyncDispose]() };
  } catch (error) {
    throw error instanceof HomeInUseError ? new StartupError(error.message, { cause: error }) : error;
  }
}

const workers = [createEventPersister, createTaskRunRecorder, createAutomations, createScheduler, createLateRuns, createForeman, createLeaseCleanup, createRetention];

await runMain(
  'praetor',
  async (frame) => {
    const { settings, signal } = frame;
    const { host, port, basePath } = settings.api;
    await assertPortFree(host, port);
    await using data = await openData(frame);
    await using context = await openContext({ ...frame, name: 'praetor', databaseUrl: data.url, metricsPort: settings.instruments.port });

    // Requests in flight publish events, which the workers must still take: the gateway stops before them.
    const broadcaster = createBroadcaster(context);
    const running = runServices([[createApiGateway(context, broadcaster.sockets)], [broadcaster, ...workers.map((create) => create(context))]], signal);
    while (!signal.aborted && !(await context.health.isReady()).ready) await Promise.race([sleep(20), running]);
    const url = `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
    if (!signal.aborted) process.stdout.write(`\nPraetor serves ${url}\nData: ${data.place}\n\n  export PREFECT_API_URL=${url}${basePath}\n\n`);
    await running;
  },
  true,
);
