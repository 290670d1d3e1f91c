import type { JsonObject } from '@praetor/schema/json';

/*
 * What the server knows about types of workers: the UI and `prefect work-pool create` offer these types and begin a pool
 * with their templates. Structure and names are those of Prefect's workers.
 */

/** An optional text variable. */
const text = (title: string, description: string, format: JsonObject = {}): JsonObject => ({
  title,
  description,
  anyOf: [{ type: 'string', ...format }, { type: 'null' }],
  default: null,
});

const processTemplate: JsonObject = {
  job_configuration: {
    command: '{{ command }}',
    env: '{{ env }}',
    labels: '{{ labels }}',
    name: '{{ name }}',
    stream_output: '{{ stream_output }}',
    working_dir: '{{ working_dir }}',
  },
  variables: {
    type: 'object',
    properties: {
      name: text('Name', 'What the worker calls the infrastructure that it creates.'),
      env: {
        title: 'Environment Variables',
        description: 'Environment of the flow run.',
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      },
      labels: { title: 'Labels', description: 'Labels of the infrastructure that the worker creates.', type: 'object', additionalProperties: { type: 'string' } },
      command: text('Command', 'Starts a flow run. Left empty, the worker finds the right command.'),
      stream_output: { title: 'Stream Output', description: "Print the output of flow runs to the worker's own.", type: 'boolean', default: true },
      working_dir: text('Working Directory', 'Where flow runs are started; by default, each in a temporary directory.', { format: 'path' }),
    },
  },
};

/** By collection and by type of worker. */
export const workerMetadata: JsonObject = {
  prefect: {
    process: {
      type: 'process',
      display_name: 'Process',
      description: 'Runs each flow in a process of its own on the machine of the worker. A good start, and all that many need.',
      install_command: 'pip install prefect',
      documentation_url: 'https://docs.prefect.io/v3/concepts/work-pools',
      logo_url: 'https://raw.githubusercontent.com/PrefectHQ/prefect/main/assets/block-logos/process.png',
      is_beta: false,
      default_base_job_configuration: processTemplate,
    },
  },
};
