import { admin, root } from './admin/routes.ts';
import { csrfToken } from './csrf-token/routes.ts';
import type { Resource } from './http/route.ts';
import { variables } from './variables/routes.ts';

/** Every resource of the API in the order of its document. */
export const resources: readonly Resource[] = [root, admin, csrfToken, variables];
