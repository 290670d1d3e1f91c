import { type Kysely, sql } from 'kysely';
import type { Tables } from '@praetor/database/tables';
import { NotFoundError } from '@praetor/schema/errors';
import type { Log } from '@praetor/schema/log';
import { uuid } from '@praetor/schema/primitives';
import type { GatewayContext } from '../context.ts';
import { Reply, type Route, route } from '../http/route.ts';

const PAGE_SIZE = 1000;
const COLUMNS = ['timestamp', 'level', 'flow_run_id', 'task_run_id', 'message'] as const;

type DownloadedLog = Pick<Log, 'id' | (typeof COLUMNS)[number]>;

/** The logs after the last one of the page before; by place and not by number, so that the last page costs no more than the first. */
async function listPage(db: Kysely<Tables>, flowRunId: string, last: DownloadedLog | undefined): Promise<DownloadedLog[]> {
  const { rows } = await sql<DownloadedLog>`
    select id, ${sql.join(COLUMNS.map((column) => sql.ref(column)))} from log
    where flow_run_id = ${flowRunId} and ${last === undefined ? sql`true` : sql`(timestamp, id) > (${last.timestamp}, ${last.id}::uuid)`}
    order by timestamp, id limit ${PAGE_SIZE}`.execute(db);
  return rows;
}

/** As Python's csv module writes it. */
function toLine(values: readonly (string | number | null)[]): string {
  const cells = values.map((value) => {
    const text = String(value ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${cells.join(',')}\r\n`;
}

/** All logs of a run as CSV, oldest first, a page at a time; a slow reader holds no connection to the database meanwhile. */
async function* writeLogs(db: Kysely<Tables>, flowRunId: string): AsyncGenerator<string> {
  yield toLine(COLUMNS);
  let last: DownloadedLog | undefined;
  do {
    const page = await listPage(db, flowRunId, last);
    yield page.map(({ timestamp, ...log }) => toLine([timestamp.replace('T', ' ').replace('Z', '+00:00'), log.level, log.flow_run_id, log.task_run_id, log.message])).join('');
    last = page.length < PAGE_SIZE ? undefined : page.at(-1);
  } while (last !== undefined);
}

async function download(flowRunId: string, { database }: GatewayContext): Promise<Reply> {
  const run = await database.kysely.selectFrom('flow_run').select('name').where('id', '=', flowRunId).executeTakeFirst();
  if (run === undefined) throw new NotFoundError('Flow run not found');
  // RFC 5987 leaves fewer characters alone than encodeURIComponent does.
  const name = encodeURIComponent(`${run.name}-logs.csv`).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return new Reply(200, writeLogs(database.kysely, flowRunId), {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="flow-run-logs.csv"; filename*=UTF-8''${name}`,
  });
}

export const logDownloadRoute: Route = route({
  method: 'get',
  path: '/{id}/logs/download',
  name: 'download_logs',
  params: { id: uuid() },
  status: 200,
  handler: ({ params }, context) => download(params.id, context),
});
