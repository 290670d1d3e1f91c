import type { Kysely } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '@praetor/database/connect';
import { logCondition } from '@praetor/database/filter/resources';
import type { Tables } from '@praetor/database/tables';
import type { LogFilter, LogSort } from '@praetor/schema/filters/log';
import { toJson } from '@praetor/schema/json';
import { type Log, type LogCreate, log } from '@praetor/schema/log';
import { now } from '@praetor/schema/timestamps';
import type { Page } from '../http/pagination.ts';

const COLUMNS = log.keyof().options;

/** Stores logs by one statement, whose text does not depend on how many they are. */
export async function insertLogs(sql: Sql, logs: readonly LogCreate[]): Promise<Log[]> {
  const moment = now();
  const rows = logs.map((log) => ({ id: uuidv7(), created: moment, updated: moment, ...log }));
  await sql`
    insert into log (id, created, updated, name, level, message, timestamp, flow_run_id, task_run_id)
    select * from json_to_recordset(${toJson(rows)}::json) as row
      (id uuid, created timestamptz, updated timestamptz, name text, level smallint, message text, timestamp timestamptz, flow_run_id uuid, task_run_id uuid)`;
  return rows;
}

export function listLogs(db: Kysely<Tables>, filter: LogFilter | null | undefined, sort: LogSort, { limit, offset }: Page): Promise<Log[]> {
  const direction = sort === 'TIMESTAMP_ASC' ? 'asc' : 'desc';
  return (
    db
      .selectFrom('log')
      .select(COLUMNS)
      .where(logCondition(filter))
      .orderBy('timestamp', direction)
      // Logs of one moment stay in the order of their ids, which is that of their coming: pages neither repeat nor miss any.
      .orderBy('id', direction)
      .limit(limit)
      .offset(offset)
      .execute()
  );
}
