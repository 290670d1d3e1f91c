import type { ServiceContext } from '@praetor/runtime/service';

/** What a route's handler may use beside its request. */
export type GatewayContext = ServiceContext;
