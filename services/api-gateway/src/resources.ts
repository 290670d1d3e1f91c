import type { Resource } from './http/route.ts';

/** Every resource of the API in the order of its document. */
export const resources: readonly Resource[] = [];
