import { z } from 'zod';
import { integer, recordFields, timestamp, uuid } from './primitives.ts';

/** Postgres holds no NUL characters; they are left out (facts/rules.md §6). */
const text = () => z.string().transform((value) => (value.includes('\0') ? value.replaceAll('\0', '') : value));

const runId = () => uuid().nullable().default(null);

const fields = { name: text(), level: integer(), message: text(), timestamp: timestamp(), flow_run_id: runId(), task_run_id: runId() };

export const log = z.object({ ...recordFields(), ...fields }).meta({ id: 'Log' });
export type Log = z.output<typeof log>;

export const logCreate = z.strictObject(fields).meta({ id: 'LogCreate' });
export type LogCreate = z.output<typeof logCreate>;
