import * as node from 'node:test';
import { isPostgresReachable } from './database.ts';

/*
 * What node:test has, for files all of whose tests need a Postgres: where none can be reached each test is skipped by its
 * name, and the hooks, which could only fail, do nothing.
 */

const isReachable = await isPostgresReachable();
const nothing = (): void => {};

// Those of node:test themselves, not functions around them, so that a failure is told with the line of its test.
export const test: (name: string, work: (context: node.TestContext) => void | Promise<void>) => void = isReachable ? node.test : node.test.skip;
export const suite: (name: string, declare: () => void) => void = isReachable ? node.suite : node.suite.skip;
export const before: typeof node.before = isReachable ? node.before : nothing;
export const beforeEach: typeof node.beforeEach = isReachable ? node.beforeEach : nothing;
export const after: typeof node.after = isReachable ? node.after : nothing;
