import { runProcess } from '@praetor/runtime/process';
import { createForeman } from './service.ts';

await runProcess('foreman', createForeman);
