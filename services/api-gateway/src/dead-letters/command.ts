import { parseArgs, styleText } from 'node:util';
import { z } from 'zod';
import { deadLetter } from '@praetor/schema/dead-letter';

/* `pnpm dead-letters list | show ID | replay ID… | replay --all | delete ID…`, against PREFECT_API_URL as Prefect's CLI. */

const USAGE = `Usage: pnpm dead-letters list [--group GROUP] [--limit N]
       pnpm dead-letters show ID
       pnpm dead-letters replay ID… | --all [--group GROUP]
       pnpm dead-letters delete ID…

Speaks to PREFECT_API_URL (http://127.0.0.1:4200/api unless set), with PREFECT_API_AUTH_STRING where the server wants it.`;

async function send(method: string, path: string, body?: object): Promise<unknown> {
  const { PREFECT_API_URL: url = 'http://127.0.0.1:4200/api', PREFECT_API_AUTH_STRING: credentials } = process.env;
  const response = await fetch(`${url}/admin/dead-letters${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(credentials && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${response.url}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(text: string, exitCode: number): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean' }, group: { type: 'string' }, limit: { type: 'string' } } });
  const [action, ...ids] = positionals;
  const inGroup = values.group === undefined ? {} : { consumer_group: { any_: [values.group] } };
  if (action === 'list' && ids.length === 0) {
    const letters = z.array(deadLetter).parse(await send('POST', '/filter', { dead_letters: inGroup, ...(values.limit && { limit: values.limit }) }));
    for (const { id, died, consumer_group, attempts, error } of letters) print(`${id}  ${died}  ${consumer_group}  ${attempts} attempts  ${error.split('\n')[0]}`);
    print(styleText('dim', `${letters.length} shown of ${String(await send('POST', '/count', { dead_letters: inGroup }))}`));
  } else if (action === 'show' && ids.length === 1) print(JSON.stringify(await send('GET', `/${ids[0]}`), null, 2));
  else if (action === 'replay' && ids.length > 0 !== (values.all === true))
    print(JSON.stringify(await send('POST', '/replay', { dead_letters: values.all ? inGroup : { ...inGroup, id: { any_: ids } } })));
  else if (action === 'delete' && ids.length > 0) for (const id of ids) await send('DELETE', `/${id}`);
  else complain(USAGE, 2);
}

await main().catch((error: unknown) => complain(error instanceof Error ? error.message : String(error), 1));
