import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** Ports behind the front, asked for at each connection: members come and go. */
export interface Backends {
  gateways(): readonly number[];
  broadcasters(): readonly number[];
}

export interface Front extends AsyncDisposable {
  readonly port: number;
}

/** The sockets that the broadcaster serves; everything else is the gateway's. */
const BROADCAST = /^GET \S*\/(?:events|logs)\/out[ ?]/;

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** Tries the ports from `start` on, round and round once: a member that has just died refuses. */
async function openAny(ports: readonly number[], start: number): Promise<Socket | undefined> {
  for (let step = 0; step < ports.length; step++) {
    const port = ports[(start + step) % ports.length] ?? 0;
    const socket = await open(port).catch(() => undefined);
    if (socket) return socket;
  }
  return undefined;
}

/**
 * One port before many servers, as a load balancer of connections: each new connection goes to the next server that
 * accepts it, by its first line to the gateways or to the broadcasters, and then bytes pass unseen.
 */
export async function startFront(address: { host: string; port: number }, backends: Backends): Promise<Front> {
  const clients = new Set<Socket>();
  let turn = 0;

  async function serve(client: Socket): Promise<void> {
    const [head]: [Buffer] = (await Promise.race([once(client, 'data'), once(client, 'close').then(() => [Buffer.alloc(0)])])) as [Buffer];
    client.pause();
    if (head.length === 0) return;
    const server = await openAny(BROADCAST.test(head.toString('latin1')) ? backends.broadcasters() : backends.gateways(), turn++);
    if (!server) {
      client.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    server.write(head);
    await Promise.all([pipeline(client, server), pipeline(server, client)]);
  }

  const front = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    client.on('error', () => {});
    // A connection cut on one side is cut on the other; that is no concern of the front's.
    serve(client).catch(() => client.destroy());
  });
  front.listen(address);
  await once(front, 'listening');
  return {
    port: (front.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      front.close();
      for (const client of clients) client.destroy();
      await once(front, 'close');
    },
  };
}
