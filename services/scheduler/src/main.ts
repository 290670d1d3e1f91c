import { runProcess } from '@praetor/runtime/process';
import { createScheduler } from './service.ts';

await runProcess('scheduler', createScheduler);
