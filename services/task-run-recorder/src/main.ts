import { runProcess } from '@praetor/runtime/process';
import { createTaskRunRecorder } from './service.ts';

await runProcess('task-run-recorder', createTaskRunRecorder);
