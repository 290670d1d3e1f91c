import { runProcess } from '@praetor/runtime/process';
import { createEventPersister } from './service.ts';

await runProcess('event-persister', createEventPersister);
