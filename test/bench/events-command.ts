import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { addSeconds, now } from '@praetor/schema/timestamps';
import { Api } from '@praetor/test/support/api';
import { makeEvent } from '@praetor/test/support/events';
import { until } from '@praetor/test/support/poll';
import { SocketClient } from '@praetor/test/support/socket-client';

/*
 * `pnpm bench:events --url http://127.0.0.1:4200/api [--url …]` measures running servers, one after the other:
 *
 * - events per second from the socket to the row: --clients send --events as fast as they are taken, while --automations
 *   watch them without ever firing; the clock stops when all can be read;
 * - the time from an event to the run that it started: --rate events per second for --seconds, every tenth of which
 *   fires an automation that runs a deployment. The time is from `occurred` to the run's `created`, so the server must
 *   run on the same machine.
 */

const { values } = parseArgs({
  options: {
    url: { type: 'string', multiple: true, default: [] },
    events: { type: 'string', default: '20000' },
    clients: { type: 'string', default: '8' },
    automations: { type: 'string', default: '30' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '30' },
  },
});
const EVENTS = Number(values.events);
const CLIENTS = Number(values.clients);
const AUTOMATIONS = Number(values.automations);
const RATE = Number(values.rate);
const SECONDS = Number(values.seconds);
/** Messages are sent this often, in ms. */
const BEAT_MS = 20;
const WAIT_SECONDS = 600;

const socketUrl = ({ url }: Api): string => `${url.replace('http', 'ws')}/events/in`;

async function countEvents(api: Api, name: string): Promise<number> {
  const { total } = await api.expect(200, 'POST', '/events/filter', { filter: { event: { name: [name] }, occurred: { since: addSeconds(now(), -3600), until: addSeconds(now(), 3600) } }, limit: 1 });
  return total;
}

function watch(name: string, threshold: number): object {
  return { type: 'event', posture: 'Reactive', expect: [name], threshold, within: threshold === 1 ? 0 : 60 };
}

/** Events per second until all of them can be read, and until all were safely taken. */
async function measureThroughput(api: Api): Promise<{ stored: number; taken: number }> {
  const name = `bench.${randomUUID()}`;
  const automations: string[] = [];
  for (let index = 0; index < AUTOMATIONS; index++) {
    const { id } = await api.expect(201, 'POST', '/automations/', { name: `${name} ${index}`, trigger: watch(index % 3 === 0 ? name : `${name}.${index}`, EVENTS + 1), actions: [] });
    automations.push(id);
  }
  await sleep(2000);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => SocketClient.connect(socketUrl(api))));
  const share = Math.ceil(EVENTS / CLIENTS);
  const messages = clients.map((_, client) => Array.from({ length: share }, (__, index) => JSON.stringify(makeEvent({ event: name, resource: { 'prefect.resource.id': `bench.${client}`, index: String(index) } }))));
  const start = performance.now();
  const rate = () => Math.round((share * CLIENTS * 1000) / (performance.now() - start));
  await Promise.all(
    clients.map(async (client, index) => {
      for (const message of messages[index] ?? []) client.send(message);
      await client.ping();
    }),
  );
  const taken = rate();
  await until('all events can be read', async () => (await countEvents(api, name)) === share * CLIENTS, WAIT_SECONDS);
  const stored = rate();
  for (const client of clients) client.close();
  for (const id of automations) await api.expect(204, 'DELETE', `/automations/${id}`);
  return { stored, taken };
}

/** Milliseconds from each event to the run it started, in order. */
async function measureReaction(api: Api): Promise<number[]> {
  const name = `bench.${randomUUID()}`;
  const { id: flow_id } = await api.expect([200, 201], 'POST', '/flows/', { name });
  const { id: deployment_id } = await api.expect([200, 201], 'POST', '/deployments/', { name, flow_id });
  const actions = [{ type: 'run-deployment', source: 'selected', deployment_id, parameters: { occurred: '{{ event.occurred.isoformat() }}' } }];
  const { id: automation } = await api.expect(201, 'POST', '/automations/', { name, trigger: watch(`${name}.fire`, 1), actions });
  await sleep(2000);
  const client = await SocketClient.connect(socketUrl(api));
  const fired = Math.floor((RATE * SECONDS) / 10);
  const start = performance.now();
  for (let sent = 0; sent < RATE * SECONDS; await sleep(BEAT_MS))
    for (const due = Math.min((RATE * (performance.now() - start)) / 1000, RATE * SECONDS); sent < due; sent++)
      client.send(makeEvent({ event: sent % 10 === 0 ? `${name}.fire` : name, resource: { 'prefect.resource.id': name } }));
  const runs = { deployments: { id: { any_: [deployment_id] } } };
  await until('all runs are there', async () => (await api.expect(200, 'POST', '/flow_runs/count', runs)) >= fired, WAIT_SECONDS);
  const times: number[] = [];
  for (let offset = 0; offset < fired; offset += 200)
    for (const run of await api.expect(200, 'POST', '/flow_runs/filter', { ...runs, limit: 200, offset, sort: 'ID_DESC' })) times.push(Date.parse(run.created) - Date.parse(run.parameters.occurred));
  client.close();
  await api.expect(204, 'DELETE', `/automations/${automation}`);
  return times.sort((left, right) => left - right);
}

for (const url of values.url) {
  const api = new Api(url);
  const { stored, taken } = await measureThroughput(api);
  console.log(`${url}: ${stored} events/s from socket to row (taken at ${taken}/s)`);
  const times = await measureReaction(api);
  const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN);
  console.log(`${url}: event to run at ${RATE} events/s, ${times.length} runs: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
}
