import { runProcess } from '@praetor/runtime/process';
import { createApiGateway } from './service.ts';

await runProcess('api-gateway', createApiGateway);
