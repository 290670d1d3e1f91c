import { z } from 'zod';
import { composeDatabaseUrl } from './database-url.ts';
import { boolean, duration, float, integer } from './primitives.ts';
import { describeSettings, optionalSetting, parseValues, readValues, setting, type SettingDescription, type SettingValues } from './setting.ts';

/*
 * Every setting, once: its place in `Settings`, its environment variable, what it accepts, its default, what it means.
 * The variable is Prefect's own wherever Prefect has one (facts/services.md); PRAETOR_… are ours. `…Seconds` also take
 * Prefect's durations ("1:30:00", "PT90S"). The table in the README is printed from here.
 */

const text = () => z.string();
const count = () => integer((schema) => schema.min(0));
const positiveCount = () => integer((schema) => schema.min(1));
const port = (least: 0 | 1) => integer((schema) => schema.min(least).max(65_535));
const interval = () => float((schema) => schema.positive());
// The environment holds only text, so a bare number there is one of seconds.
const period = () => z.preprocess((value) => (typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value), duration((schema) => schema.min(0)));
const readJson = (value: unknown): unknown => {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return value;
  }
};
const url = (protocols: RegExp, hint: string) => z.string().regex(protocols, hint);

/** An address, a network such as 10.0.0.0/8, one of proxy-addr's names, or `*`. */
const PROXY = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6(), z.enum(['loopback', 'linklocal', 'uniquelocal', '*'])]);
const proxies = () =>
  text()
    .transform((list) => list.split(',').map((proxy) => proxy.trim()))
    .refine((list) => list.every((proxy) => PROXY.safeParse(proxy).success), 'must be addresses or networks, separated by commas');

const basePath = () => text().regex(/^(?:\/[^/]+)+\/?$/, 'must begin with a slash').transform((path) => path.replace(/\/$/, ''));

const level = () =>
  z.preprocess((value) => (typeof value === 'string' ? value.toUpperCase() : value), z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']));

const VACUUMS = ['events', 'flow_runs', 'orphans'] as const;
/** What the vacuum deletes, by commas. Prefect's old switch too: true is everything, false still the events; `none` is ours. */
const vacuums = () =>
  z.preprocess(
    (value) => {
      const words = String(value).toLowerCase().split(',').map((word) => word.trim()).filter(Boolean);
      const named = words.flatMap((word) => (word === 'true' || word === '1' ? VACUUMS : word === 'false' || word === '0' ? ['events'] : word === 'none' ? [] : [word]));
      // Runs leave logs and artifacts behind when their deletion is interrupted.
      return [...new Set(named.includes('flow_runs') ? [...named, 'orphans'] : named)];
    },
    z.array(z.enum(VACUUMS, `must be a list of ${VACUUMS.join(', ')}`)),
  );

const api = z.object({
  host: setting('PREFECT_SERVER_API_HOST', text(), '127.0.0.1', 'Address to listen on.'),
  port: setting('PREFECT_SERVER_API_PORT', port(1), 4200, 'Port to listen on.'),
  basePath: setting('PREFECT_SERVER_API_BASE_PATH', basePath(), '/api', 'Path below which the API is served.'),
  authString: optionalSetting('PREFECT_SERVER_API_AUTH_STRING', text(), 'Basic authentication that every request must carry, as `user:password`.'),
  defaultLimit: setting('PREFECT_SERVER_API_DEFAULT_LIMIT', positiveCount(), 200, 'Default and most rows of one answer.', ['PREFECT_API_DEFAULT_LIMIT']),
  keepaliveTimeoutSeconds: setting('PREFECT_SERVER_API_KEEPALIVE_TIMEOUT', interval(), 5, 'An idle connection is closed after this time.'),
  csrfProtectionEnabled: setting('PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED', boolean(), false, 'Ask for a CSRF token with every change.', ['PREFECT_SERVER_CSRF_PROTECTION_ENABLED']),
  csrfTokenExpirationSeconds: setting('PREFECT_SERVER_API_CSRF_TOKEN_EXPIRATION', period(), 3600, 'Life of a CSRF token.', ['PREFECT_SERVER_CSRF_TOKEN_EXPIRATION']),
  corsAllowedOrigins: setting('PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS', text(), '*', 'Origins that browsers may call from, separated by commas.', ['PREFECT_SERVER_CORS_ALLOWED_ORIGINS']),
  corsAllowedMethods: setting('PREFECT_SERVER_API_CORS_ALLOWED_METHODS', text(), '*', 'Methods that browsers may use.', ['PREFECT_SERVER_CORS_ALLOWED_METHODS']),
  corsAllowedHeaders: setting('PREFECT_SERVER_API_CORS_ALLOWED_HEADERS', text(), '*', 'Headers that browsers may send.', ['PREFECT_SERVER_CORS_ALLOWED_HEADERS']),
  websocketPingIntervalSeconds: setting('PREFECT_SERVER_API_WEBSOCKET_PING_INTERVAL', interval(), 20, 'Sockets are pinged this often.'),
  websocketPingTimeoutSeconds: setting('PREFECT_SERVER_API_WEBSOCKET_PING_TIMEOUT', interval(), 20, 'A socket that does not answer a ping in this time is closed.'),
  maxParameterSizeBytes: setting('PREFECT_SERVER_API_MAX_PARAMETER_SIZE', count(), 524_288, 'Largest JSON text of the parameters of a flow run.'),
  bodyLimitBytes: setting('PRAETOR_API_BODY_LIMIT_BYTES', positiveCount(), 33_554_432, 'Largest body of a request.'),
  requestTimeoutSeconds: setting('PRAETOR_API_REQUEST_TIMEOUT_SECONDS', interval(), 60, 'A request that has not arrived whole after this time is refused.'),
  rateLimitPerMinute: optionalSetting('PRAETOR_API_RATE_LIMIT_PER_MINUTE', positiveCount(), 'Requests that one address may make to one gateway in a minute; more are answered 429. Unset: any number.'),
  trustedProxies: setting('PRAETOR_API_TRUSTED_PROXIES', proxies(), ['loopback'], 'Proxies whose X-Forwarded-For, -Proto and -Host count: addresses, networks, `loopback`, `linklocal`, `uniquelocal`, or `*`.', ['FORWARDED_ALLOW_IPS']),
});

const ui = z.object({
  enabled: setting('PREFECT_SERVER_UI_ENABLED', boolean(), true, 'Serve the web UI, where there is one.', ['PREFECT_UI_ENABLED']),
  staticDirectory: optionalSetting('PREFECT_SERVER_UI_STATIC_DIRECTORY', text(), "Where Prefect's web UI is: an installed `prefect` package, its wheel, or a folder with `v1` and `v2`. Unset: no web UI.", ['PREFECT_UI_STATIC_DIRECTORY']),
  serveBase: setting('PREFECT_SERVER_UI_SERVE_BASE', text(), '/', 'Path below which the web UI is served.', ['PREFECT_UI_SERVE_BASE']),
  url: optionalSetting('PREFECT_UI_URL', text(), 'Where people find the web UI, for links in the templates of automations. Unset: no links.'),
  apiUrl: optionalSetting('PREFECT_SERVER_UI_API_URL', text(), 'Where browsers find the API. Unset: where they found the web UI, at the base path.', ['PREFECT_UI_API_URL']),
  v2Enabled: setting('PREFECT_SERVER_UI_V2_ENABLED', boolean(), true, 'Browsers that chose none get the second of the two web UIs.'),
  showPromotionalContent: setting('PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT', boolean(), true, 'Show in the web UI what else its makers offer.'),
});

const database = z.object({
  connectionUrl: optionalSetting(
    'PREFECT_SERVER_DATABASE_CONNECTION_URL',
    url(/^postgres(?:ql)?(?:\+\w+)?:\/\//, 'must be a Postgres URL such as postgresql+asyncpg://user:password@host:5432/name; SQLite is not supported, leave it unset for the embedded database'),
    'The Postgres database. Unset, `pnpm start` keeps its own below PRAETOR_HOME.',
  ),
  host: optionalSetting('PREFECT_SERVER_DATABASE_HOST', text(), 'Host of the Postgres database, or the folder of its socket, where no URL is given.'),
  port: optionalSetting('PREFECT_SERVER_DATABASE_PORT', port(1), 'Its port; 5432 unless given.'),
  user: optionalSetting('PREFECT_SERVER_DATABASE_USER', text(), 'Its user; postgres unless given.'),
  name: optionalSetting('PREFECT_SERVER_DATABASE_NAME', text(), 'Its name; prefect unless given.'),
  password: optionalSetting('PREFECT_SERVER_DATABASE_PASSWORD', text(), 'Its password; a URL may name it as `${PREFECT_SERVER_DATABASE_PASSWORD}`.'),
  embedded: setting('PRAETOR_EMBEDDED_DATABASE', z.enum(['auto', 'postgres', 'pglite']), 'auto', 'What `pnpm start` keeps its data in where no database is given: a native Postgres, PGlite, or the first of them that runs.'),
  migrateOnStart: setting('PREFECT_SERVER_DATABASE_MIGRATE_ON_START', boolean(), true, 'Bring the tables up to date before serving.'),
  timeoutSeconds: setting('PREFECT_SERVER_DATABASE_TIMEOUT', interval(), 10, 'A statement is ended after this time.'),
  poolSize: setting('PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE', positiveCount(), 10, 'Connections of one process.', ['PREFECT_SQLALCHEMY_POOL_SIZE']),
});

const redis = z.object({
  url: optionalSetting('PRAETOR_REDIS_URL', url(/^rediss?:\/\//, 'must be a URL such as redis://host:6379/0'), 'The Redis of the streams and ticks. Unset, `pnpm start` keeps both in memory.'),
  keyPrefix: setting('PRAETOR_REDIS_KEY_PREFIX', text(), 'praetor', 'Begins the name of every Redis key; installations that share a Redis need different ones.'),
});

const streams = z.object({
  maxDeliveries: setting('PRAETOR_STREAMS_MAX_DELIVERIES', positiveCount(), 5, 'A message whose handling failed this often becomes a dead letter.'),
  maxLength: setting('PRAETOR_STREAMS_MAX_LENGTH', positiveCount(), 500_000, 'Events that may wait in Redis. Beyond it sockets are read slowly and POST /events answers 503.'),
  trimLoopSeconds: setting('PRAETOR_STREAMS_TRIM_LOOP_SECONDS', interval(), 10, 'Streams are trimmed to their slowest reader this often.'),
  relayLoopSeconds: setting('PRAETOR_STREAMS_RELAY_LOOP_SECONDS', interval(), 5, 'Events left in the outbox are published this often.'),
});

const instruments = z.object({
  host: setting('PRAETOR_METRICS_HOST', text(), '0.0.0.0', 'Address of /health, /ready and /metrics.'),
  port: optionalSetting('PRAETOR_METRICS_PORT', port(0), 'Port of /health, /ready and /metrics; 0 takes a free one. Unset: 4201 for a service of its own, none for `pnpm start`.'),
});

const concurrency = z.object({
  initialDeploymentLeaseDurationSeconds: setting('PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION', interval(), 300, "First lease of a run on its deployment's slot."),
  maximumConcurrencySlotWaitSeconds: setting('PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS', interval(), 30, 'Longest wait that a client is told when no slot is free.'),
});

const deployments = z.object({
  concurrencySlotWaitSeconds: setting('PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS', interval(), 30, "A run waits this long before it asks again for its deployment's slot.", ['PREFECT_DEPLOYMENT_CONCURRENCY_SLOT_WAIT_SECONDS']),
  scheduleMaxScheduledRuns: setting('PREFECT_SERVER_DEPLOYMENT_SCHEDULE_MAX_SCHEDULED_RUNS', positiveCount(), 50, 'Greatest `max_scheduled_runs` that a schedule may ask for.', ['PREFECT_DEPLOYMENT_SCHEDULE_MAX_SCHEDULED_RUNS']),
});

const tasks = z.object({
  tagConcurrencySlotWaitSeconds: setting('PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS', float((schema) => schema.min(0)), 10, 'A task run waits this long before it asks again for the slots of its tags.', ['PREFECT_TASK_RUN_TAG_CONCURRENCY_SLOT_WAIT_SECONDS']),
  maxCacheKeyLength: setting('PREFECT_SERVER_TASKS_MAX_CACHE_KEY_LENGTH', positiveCount(), 2000, 'Longest cache key of a task run.', ['PREFECT_API_TASK_CACHE_KEY_MAX_LENGTH']),
});

const events = z.object({
  streamOutEnabled: setting('PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED', boolean(), true, 'Send events to sockets at /events/out.', ['PREFECT_API_EVENTS_STREAM_OUT_ENABLED']),
  maximumLabelsPerResource: setting('PREFECT_SERVER_EVENTS_MAXIMUM_LABELS_PER_RESOURCE', positiveCount(), 500, 'Most labels of a resource of an event.', ['PREFECT_EVENTS_MAXIMUM_LABELS_PER_RESOURCE']),
  maximumRelatedResources: setting('PREFECT_SERVER_EVENTS_MAXIMUM_RELATED_RESOURCES', positiveCount(), 100, 'Most related resources of an event.', ['PREFECT_EVENTS_MAXIMUM_RELATED_RESOURCES']),
  maximumSizeBytes: setting('PREFECT_SERVER_EVENTS_MAXIMUM_SIZE_BYTES', positiveCount(), 1_500_000, 'Largest event.', ['PREFECT_EVENTS_MAXIMUM_SIZE_BYTES']),
  maximumEventNameLength: setting('PREFECT_SERVER_EVENTS_MAXIMUM_EVENT_NAME_LENGTH', positiveCount(), 1024, 'Longest name of an event.'),
  retentionPeriodSeconds: setting('PREFECT_SERVER_EVENTS_RETENTION_PERIOD', period(), 604_800, 'Events are kept this long.', ['PREFECT_EVENTS_RETENTION_PERIOD']),
  maximumWebsocketBackfillSeconds: setting('PREFECT_SERVER_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL', period(), 900, 'Past that a socket may ask for at /events/out.', ['PREFECT_EVENTS_MAXIMUM_WEBSOCKET_BACKFILL']),
  proactiveGranularitySeconds: setting('PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY', period(), 5, 'Automations that wait for the absence of events are looked at this often.', ['PREFECT_EVENTS_PROACTIVE_GRANULARITY']),
  expiredBucketBufferSeconds: setting('PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER', period(), 60, 'The counts of automations are kept this long after their time is over.', ['PREFECT_EVENTS_EXPIRED_BUCKET_BUFFER']),
  websocketBackfillPageSize: setting('PREFECT_SERVER_EVENTS_WEBSOCKET_BACKFILL_PAGE_SIZE', positiveCount(), 250, 'Events read at once for that past.', ['PREFECT_EVENTS_WEBSOCKET_BACKFILL_PAGE_SIZE']),
});

const flowRunGraph = z.object({
  maxNodes: setting('PREFECT_SERVER_FLOW_RUN_GRAPH_MAX_NODES', count(), 10_000, 'A graph of more nodes is refused.', ['PREFECT_API_MAX_FLOW_RUN_GRAPH_NODES']),
  maxArtifacts: setting('PREFECT_SERVER_FLOW_RUN_GRAPH_MAX_ARTIFACTS', count(), 10_000, 'Most artifacts that a graph shows.', ['PREFECT_API_MAX_FLOW_RUN_GRAPH_ARTIFACTS']),
});

const logs = z.object({
  streamOutEnabled: setting('PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED', boolean(), false, 'Send logs to sockets at /logs/out.'),
  streamPublishingEnabled: setting('PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED', boolean(), false, 'Publish received logs for those sockets.'),
});

const workerChannel = z.object({
  cleanupLeaseSeconds: setting('PREFECT_SERVER_WORKER_CHANNEL_CLEANUP_LEASE_SECONDS', interval(), 30, 'A worker that got clean-up work keeps it this long, unless it asks for more time.'),
  cleanupMaxDeliveryAttempts: setting('PREFECT_SERVER_WORKER_CHANNEL_CLEANUP_MAX_DELIVERY_ATTEMPTS', positiveCount(), 3, 'Clean-up work is given up after so many deliveries.'),
});

const scheduler = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED', boolean(), true, 'Create the runs of schedules.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS', interval(), 60, 'All deployments are looked at this often.'),
  recentDeploymentsLoopSeconds: setting('PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS', interval(), 5, 'Deployments that just changed are looked at this often.'),
  deploymentBatchSize: setting('PREFECT_SERVER_SERVICES_SCHEDULER_DEPLOYMENT_BATCH_SIZE', positiveCount(), 100, 'Deployments taken at once.'),
  minRuns: setting('PREFECT_SERVER_SERVICES_SCHEDULER_MIN_RUNS', count(), 3, 'A schedule has at least this many future runs.'),
  maxRuns: setting('PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS', count(), 100, 'A schedule has at most this many future runs.'),
  minScheduledTimeSeconds: setting('PREFECT_SERVER_SERVICES_SCHEDULER_MIN_SCHEDULED_TIME', period(), 3600, 'Runs are created at least this far ahead.'),
  maxScheduledTimeSeconds: setting('PREFECT_SERVER_SERVICES_SCHEDULER_MAX_SCHEDULED_TIME', period(), 8_640_000, 'Runs are created at most this far ahead.'),
  insertBatchSize: setting('PREFECT_SERVER_SERVICES_SCHEDULER_INSERT_BATCH_SIZE', positiveCount(), 500, 'Runs inserted by one statement.'),
});

const lateRuns = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED', boolean(), true, 'Mark runs that nobody started as Late.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS', interval(), 5, 'Late runs are looked for this often.'),
  afterSeconds: setting('PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS', period(), 15, 'A run is late this long after its scheduled time.'),
});

const pauseExpirations = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED', boolean(), true, 'Fail paused runs that nobody resumed in time.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS', interval(), 5, 'Expired pauses are looked for this often.'),
});

const cancellationCleanup = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED', boolean(), true, 'Finish what cancelled runs left behind.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS', interval(), 20, 'Leftovers are looked for this often.'),
  cancellingTimeoutSeconds: setting('PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_CANCELLING_TIMEOUT_SECONDS', interval(), 300, 'A run that is being cancelled counts as cancelled after this time.'),
});

const silentRuns = z.object({
  enabled: setting('PRAETOR_SERVICES_SILENT_RUNS_ENABLED', boolean(), true, 'Crash running flow runs whose heartbeats have stopped.'),
  loopSeconds: setting('PRAETOR_SERVICES_SILENT_RUNS_LOOP_SECONDS', interval(), 15, 'They are looked for this often.'),
  heartbeatMultiple: setting('PRAETOR_SERVICES_SILENT_RUNS_HEARTBEAT_MULTIPLE', positiveCount(), 3, 'A run has crashed when nothing was heard of it for so many of its heartbeat intervals.'),
  fallbackHeartbeatSeconds: setting('PRAETOR_SERVICES_SILENT_RUNS_FALLBACK_HEARTBEAT_SECONDS', interval(), 180, 'Heartbeat interval of a run that has sent too few to tell.'),
});

const foreman = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_FOREMAN_ENABLED', boolean(), true, 'Watch workers, pools, queues and deployments.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS', interval(), 15, 'They are looked at this often.'),
  inactivityHeartbeatMultiple: setting('PREFECT_SERVER_SERVICES_FOREMAN_INACTIVITY_HEARTBEAT_MULTIPLE', positiveCount(), 3, 'A worker is offline after missing this many heartbeats.'),
  fallbackHeartbeatIntervalSeconds: setting('PREFECT_SERVER_SERVICES_FOREMAN_FALLBACK_HEARTBEAT_INTERVAL_SECONDS', positiveCount(), 30, 'Heartbeat interval of a worker that names none.'),
  deploymentLastPolledTimeoutSeconds: setting('PREFECT_SERVER_SERVICES_FOREMAN_DEPLOYMENT_LAST_POLLED_TIMEOUT_SECONDS', positiveCount(), 60, 'A deployment is not ready after this time without a poll.'),
  workQueueLastPolledTimeoutSeconds: setting('PREFECT_SERVER_SERVICES_FOREMAN_WORK_QUEUE_LAST_POLLED_TIMEOUT_SECONDS', positiveCount(), 60, 'A work queue is not ready after this time without a poll.'),
});

const repossessor = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_REPOSSESSOR_ENABLED', boolean(), true, 'Take back the slots of expired leases.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS', interval(), 15, 'Expired leases are looked for this often.'),
});

const cleanupReconciler = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_ENABLED', boolean(), true, 'Take back clean-up work from workers that fell silent.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS', interval(), 5, 'It is looked for this often.'),
  batchSize: setting('PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_BATCH_SIZE', positiveCount(), 100, 'Pieces of it taken back at once.'),
});

const eventPersister = z.object({
  batchSize: setting('PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE', positiveCount(), 500, 'Most events stored by one statement.'),
});

const taskRunRecorder = z.object({
  batchSize: setting('PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE', positiveCount(), 500, 'Most task-run events recorded at once.'),
});

const triggers = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED', boolean(), true, 'Evaluate the triggers of automations and carry out their actions.'),
  batchSize: setting('PREFECT_SERVER_SERVICES_TRIGGERS_READ_BATCH_SIZE', positiveCount(), 500, 'Most events evaluated by one transaction.'),
});

const dbVacuum = z.object({
  enabled: setting('PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED', vacuums(), ['events'], 'What is deleted when it is old: events, flow_runs, orphans (logs and artifacts without a run), by commas; or none.'),
  loopSeconds: setting('PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS', interval(), 3600, 'Old events and runs are looked for this often.'),
  orphanCleanupLoopSeconds: setting('PREFECT_SERVER_SERVICES_DB_VACUUM_ORPHAN_CLEANUP_LOOP_SECONDS', interval(), 86_400, 'Orphans are looked for this often.'),
  retentionPeriodSeconds: setting('PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD', period(), 7_776_000, 'Flow runs are kept this long after their end, where they are deleted at all.'),
  batchSize: setting('PREFECT_SERVER_SERVICES_DB_VACUUM_BATCH_SIZE', positiveCount(), 200, 'Rows deleted by one transaction.'),
  eventRetentionOverrides: setting('PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES', z.preprocess(readJson, z.record(z.string(), period())), { 'prefect.flow-run.heartbeat': 604_800 }, 'Events that are kept for less time than the others, as a JSON object of names and times.'),
});

const settingsSchema = z.object({
  home: setting('PRAETOR_HOME', text(), '~/.praetor', 'Folder of the embedded database.'),
  loggingLevel: setting('PREFECT_SERVER_LOGGING_LEVEL', level(), 'INFO', 'Least level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.', ['PREFECT_LOGGING_SERVER_LEVEL', 'PREFECT_LOGGING_LEVEL']),
  metricsEnabled: setting('PREFECT_SERVER_METRICS_ENABLED', boolean(), false, 'Serve the metrics at /metrics of the API too.', ['PREFECT_API_ENABLE_METRICS']),
  encryptionKey: optionalSetting('PREFECT_SERVER_ENCRYPTION_KEY', text(), 'Fernet key of the blocks; unset, one is made and kept in the database.'),
  shutdownTimeoutSeconds: setting('PRAETOR_SHUTDOWN_TIMEOUT_SECONDS', interval(), 25, 'A process that was asked to stop is ended after this time.'),
  api,
  ui,
  database,
  redis,
  streams,
  instruments,
  concurrency,
  deployments,
  tasks,
  events,
  flowRunGraph,
  logs,
  workerChannel,
  services: z.object({ scheduler, lateRuns, pauseExpirations, cancellationCleanup, silentRuns, foreman, repossessor, cleanupReconciler, eventPersister, taskRunRecorder, triggers, dbVacuum }),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** All settings of a process, read once at its start. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** Settings from flat values by variable. Throws SettingsError naming each variable that does not fit. */
export function parseSettings(values: SettingValues): Settings {
  const settings = parseValues(settingsSchema, values);
  return { ...settings, database: { ...settings.database, connectionUrl: composeDatabaseUrl(settings.database) } };
}

/** The value of every setting by each of its names; undefined where it has none. */
export function valuesByName(settings: Settings): ReadonlyMap<string, unknown> {
  return readValues(settingsSchema, settings);
}

/** Every setting, in the order of the README's table. */
export const SETTINGS: readonly SettingDescription[] = describeSettings(settingsSchema);
