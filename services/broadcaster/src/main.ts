import { runProcess } from '@praetor/runtime/process';
import { createBroadcaster } from './service.ts';

await runProcess('broadcaster', createBroadcaster);
