import { runProcess } from '@praetor/runtime/process';
import { createLeaseCleanup } from './service.ts';

await runProcess('lease-cleanup', createLeaseCleanup);
