import { admin, root } from './admin/routes.ts';
import { artifacts } from './artifacts/routes.ts';
import { csrfToken } from './csrf-token/routes.ts';
import { flowRunStates } from './flow-run-states/routes.ts';
import { flowRuns } from './flow-runs/routes.ts';
import { flows } from './flows/routes.ts';
import type { Resource } from './http/route.ts';
import { logs } from './logs/routes.ts';
import { taskRunStates } from './task-run-states/routes.ts';
import { taskRuns } from './task-runs/routes.ts';
import { variables } from './variables/routes.ts';

/** Every resource of the API in the order of its document. */
export const resources: readonly Resource[] = [root, admin, csrfToken, flows, flowRuns, taskRuns, flowRunStates, taskRunStates, variables, logs, artifacts];
