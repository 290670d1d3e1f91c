import type { Settings } from '@praetor/schema/settings';

/** The settings that orchestration reads; the names in comments are Prefect's. */
export interface OrchestrationSettings {
  /** PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS */
  deploymentSlotWaitSeconds: number;
  /** PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION */
  deploymentLeaseSeconds: number;
  /** PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS */
  tagSlotWaitSeconds: number;
  /** PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS */
  maximumSlotWaitSeconds: number;
  /** PREFECT_SERVER_TASKS_MAX_CACHE_KEY_LENGTH */
  maximumCacheKeyLength: number;
}

/** The part of all settings that orchestration reads. */
export function orchestrationSettings({ concurrency, deployments, tasks }: Pick<Settings, 'concurrency' | 'deployments' | 'tasks'>): OrchestrationSettings {
  return {
    deploymentSlotWaitSeconds: deployments.concurrencySlotWaitSeconds,
    deploymentLeaseSeconds: concurrency.initialDeploymentLeaseDurationSeconds,
    tagSlotWaitSeconds: tasks.tagConcurrencySlotWaitSeconds,
    maximumSlotWaitSeconds: concurrency.maximumConcurrencySlotWaitSeconds,
    maximumCacheKeyLength: tasks.maxCacheKeyLength,
  };
}
