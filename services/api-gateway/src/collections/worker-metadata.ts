import azureContainerInstance from './worker-metadata/azure-container-instance.json' with { type: 'json' };
import cloudRunV2 from './worker-metadata/cloud-run-v2.json' with { type: 'json' };
import cloudRun from './worker-metadata/cloud-run.json' with { type: 'json' };
import docker from './worker-metadata/docker.json' with { type: 'json' };
import ecs from './worker-metadata/ecs.json' with { type: 'json' };
import kubernetes from './worker-metadata/kubernetes.json' with { type: 'json' };
import process from './worker-metadata/process.json' with { type: 'json' };
import vertexAi from './worker-metadata/vertex-ai.json' with { type: 'json' };

/**
 * What the server knows about types of workers, by the package that brings them: the UI and `prefect work-pool create`
 * offer these types and begin a pool with their templates. Structure and names are those of Prefect's workers.
 */
export const workerMetadata = {
  prefect: { process },
  'prefect-aws': { ecs },
  'prefect-azure': { 'azure-container-instance': azureContainerInstance },
  'prefect-docker': { docker },
  'prefect-gcp': { 'cloud-run': cloudRun, 'cloud-run-v2': cloudRunV2, 'vertex-ai': vertexAi },
  'prefect-kubernetes': { kubernetes },
};
