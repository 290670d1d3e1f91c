import { z } from 'zod';
import { taskWorker, taskWorkerFilter } from '@praetor/schema/task-worker';
import { bodyParameters } from '../http/body.ts';
import { type Resource, route } from '../http/route.ts';
import { listTaskWorkers } from './queries.ts';

export const taskWorkers: Resource = {
  prefix: '/task_workers',
  tag: 'Task Workers',
  routes: [
    route({
      method: 'post',
      path: '/filter',
      name: 'read_task_workers',
      body: bodyParameters({ task_worker_filter: taskWorkerFilter.nullish() }),
      response: z.array(taskWorker),
      status: 200,
      handler: ({ body }, { database }) => listTaskWorkers(database.sql, body.task_worker_filter?.task_keys ?? []),
    }),
  ],
};
