/** Differences between the two documents that are meant to be, by their reason. A line stands for all that begin with it. */
export const accepted: readonly { reason: string; differences: readonly string[] }[] = [
  {
    reason: 'Prefect answers this too, but its document does not say so.',
    differences: [
      'POST /flows/ statuses: adds 201',
      'POST /flow_runs/ statuses: adds 201',
      'POST /flow_runs/{id}/resume statuses: adds 201',
      'POST /flow_runs/{id}/set_state statuses: adds 201',
      'POST /task_runs/ statuses: adds 201',
      'POST /task_runs/{id}/set_state statuses: adds 201',
      'POST /deployments/ statuses: adds 201',
      'POST /deployments/{id}/create_flow_run statuses: adds 201',
      'POST /concurrency_limits/ statuses: adds 201',
      'PUT /saved_searches/ statuses: adds 201',
      'POST /block_schemas/ statuses: adds 200',
      'POST /concurrency_limits/increment statuses: adds 423',
      'POST /v2/concurrency_limits/increment statuses: adds 423',
      'POST /v2/concurrency_limits/increment-with-lease statuses: adds 423',
      'POST /v2/concurrency_limits/leases/{lease_id}/renew statuses: adds 410',
      'GET /ready statuses: adds 503',
    ],
  },
  {
    reason: 'Prefect answers 201 as well; its document says 200.',
    differences: ['POST /artifacts/ statuses: '],
  },
  {
    reason: 'README, deliberate differences: 204 instead of 200 with null.',
    differences: ['POST /deployments/{id}/pause_deployment statuses: ', 'POST /deployments/{id}/resume_deployment statuses: '],
  },
  {
    reason: 'README, deliberate differences: accepted for clients that keep states to the server.',
    differences: ['FlowRunCreate: adds next_scheduled_start_time'],
  },
  {
    reason: 'README, deliberate differences: a name that could not stand in a URL is refused here, too.',
    differences: [
      'DeploymentCreate.name pattern',
      'DeploymentCreate.work_queue_name anyOf pattern',
      'DeploymentUpdate.work_queue_name anyOf pattern',
      'DeploymentFlowRunCreate.work_queue_name anyOf pattern',
      'WorkQueueUpdate.name anyOf pattern',
    ],
  },
  {
    reason: 'One schema describes what is sent and what is read; Prefect has one for each, and sends durations as numbers alone.',
    differences: ['EventTrigger-Output.within', 'SequenceTrigger-Output.within', 'CompoundTrigger-Output.within', 'RunDeployment-Output.schedule_after'],
  },
  { reason: 'A number below 0 is refused here, and a 503 there.', differences: ['Body_read_flow_run_history_ui_flow_runs_history_post.limit minimum'] },
  { reason: 'The names of all time zones; they differ with the database of zones that a server has.', differences: ['RRuleSchedule.timezone anyOf pattern'] },
];
