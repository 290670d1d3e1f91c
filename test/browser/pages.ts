/** Prefect has two web UIs: the one at the root and its successor below /v2. */
export type Application = 'v1' | 'v2';

/** What people change in one of the two applications. */
export type Changing = Record<'deployment' | 'pool' | 'automation' | 'pausable' | 'cancellable' | 'paused' | 'retriable' | 'deletable', string>;

/** What populate.py reported: the ids of what the pages show. */
export type Ids = Record<
  'flow' | 'deployment' | 'running' | 'tag_limit' | 'block' | 'automation' | 'event' | 'event_date' | 'completed' | 'failed' | 'task_run' | 'artifact',
  string
> & { changing: Record<Application, Changing> };

/** Every page of the web UI: its address in either application, and a text that it must show. */
export function listPages(ids: Ids): readonly (readonly [name: string, address: string, text: string])[] {
  const deployment = `/deployments/deployment/${ids.deployment}`;
  const pool = '/work-pools/work-pool/local-pool';
  return [
    ['dashboard', '/dashboard', 'local-pool'],
    ['runs', '/runs', 'broken'],
    ['run-completed', `/runs/flow-run/${ids.completed}`, 'reading page'],
    ['run-failed', `/runs/flow-run/${ids.failed}`, 'the warehouse is closed'],
    ['run-running', `/runs/flow-run/${ids.running}`, 'by-hand'],
    ['task-run', `/runs/task-run/${ids.task_run}`, 'loading 3 rows'],
    ['flows', '/flows', 'sales'],
    ['flow', `/flows/flow/${ids.flow}`, 'by-hand'],
    ['deployments', '/deployments', 'daily'],
    ['deployment', deployment, 'Every 6 hours'],
    ['deployment-run', `${deployment}/run`, 'Parameters'],
    ['deployment-edit', `${deployment}/edit`, 'production'],
    ['deployment-duplicate', `${deployment}/duplicate`, 'production'],
    ['work-pools', '/work-pools', 'local-pool'],
    ['work-pool', pool, 'Base Job'],
    ['work-pool-edit', `${pool}/edit`, 'Base Job Template'],
    ['work-pool-create', '/work-pools/create', 'Kubernetes'],
    ['work-queue', `${pool}/queue/low-priority`, 'low-priority'],
    ['work-queue-edit', `${pool}/queue/low-priority/edit`, 'Priority'],
    ['work-queue-create', `${pool}/queue/create`, 'Priority'],
    ['blocks', '/blocks', 'warehouse-password'],
    ['blocks-catalog', '/blocks/catalog', 'Discord Webhook'],
    ['block-type', '/blocks/catalog/secret', 'Secret'],
    ['block-create', '/blocks/catalog/webhook/create', 'Webhook URL'],
    ['block', `/blocks/block/${ids.block}`, 'warehouse-password'],
    ['block-edit', `/blocks/block/${ids.block}/edit`, 'Value'],
    ['variables', '/variables', 'region'],
    ['automations', '/automations', 'run-after-failure'],
    ['automation', `/automations/automation/${ids.automation}`, 'Runs it again'],
    ['automation-edit', `/automations/automation/${ids.automation}/edit`, 'Trigger'],
    ['automation-create', '/automations/create', 'Trigger'],
    ['concurrency-limits', '/concurrency-limits', 'warehouse'],
    ['tag-limit', `/concurrency-limits/concurrency-limit/${ids.tag_limit}`, 'extracting'],
    ['artifacts', '/artifacts', 'sales-report'],
    ['artifact-key', '/artifacts/key/sales-report', 'What was sold'],
    ['artifact', `/artifacts/artifact/${ids.artifact}`, 'region'],
    ['events', '/events', 'Event Feed'],
    ['event', `/events/event/${ids.event_date}/${ids.event}`, 'warehouse.opened'],
    ['settings', '/settings', 'Theme'],
  ];
}
