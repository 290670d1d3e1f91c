import { runProcess } from '@praetor/runtime/process';
import { createRetention } from './service.ts';

await runProcess('retention', createRetention);
