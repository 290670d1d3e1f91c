import { runProcess } from '@praetor/runtime/process';
import { createBroadcasterServer } from './service.ts';

await runProcess('broadcaster', createBroadcasterServer);
