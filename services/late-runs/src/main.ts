import { runProcess } from '@praetor/runtime/process';
import { createLateRuns } from './service.ts';

await runProcess('late-runs', createLateRuns);
