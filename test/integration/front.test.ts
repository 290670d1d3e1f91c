import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Backends, startFront } from '@praetor/test/support/front';
import { findFreePort } from '@praetor/test/support/ports';

describe('the port before a cluster', () => {
  const servers: Server[] = [];
  const ports: number[] = [];
  before(async () => {
    for (const name of ['gateway 1', 'gateway 2', 'broadcaster']) {
      const server = createServer((request, response) => response.setHeader('connection', 'close').end(`${name} ${request.url}`));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      servers.push(server);
      ports.push((server.address() as AddressInfo).port);
    }
  });
  after(() => {
    for (const server of servers) server.close();
  });

  async function ask(backends: Partial<Backends>, paths: string[]): Promise<string[]> {
    await using front = await startFront({ host: '127.0.0.1', port: 0 }, { gateways: () => [], broadcasters: () => [], ...backends });
    const answers: string[] = [];
    for (const path of paths) {
      const response = await fetch(`http://127.0.0.1:${front.port}${path}`, { headers: { connection: 'close' } });
      answers.push(response.ok ? await response.text() : String(response.status));
    }
    return answers;
  }

  test('hands connections round', async () => {
    const answers = await ask({ gateways: () => ports.slice(0, 2) }, ['/a', '/b', '/c']);
    assert.deepEqual(answers, ['gateway 1 /a', 'gateway 2 /b', 'gateway 1 /c']);
  });

  test('sends the sockets of live events and logs to the broadcasters', async () => {
    const backends = { gateways: () => ports.slice(0, 1), broadcasters: () => ports.slice(2) };
    const answers = await ask(backends, ['/api/events/out', '/api/logs/out?x=1', '/api/events/in', '/api/logs/outer']);
    assert.deepEqual(answers, ['broadcaster /api/events/out', 'broadcaster /api/logs/out?x=1', 'gateway 1 /api/events/in', 'gateway 1 /api/logs/outer']);
  });

  test('passes over a member that refuses, and says 503 when nobody is left', async () => {
    const dead = await findFreePort();
    assert.deepEqual(await ask({ gateways: () => [dead, ports[0] ?? 0] }, ['/a', '/b']), ['gateway 1 /a', 'gateway 1 /b']);
    assert.deepEqual(await ask({ gateways: () => [dead] }, ['/a']), ['503']);
  });
});
