import { runProcess } from '@praetor/runtime/process';
import { createAutomations } from './service.ts';

await runProcess('automations', createAutomations);
