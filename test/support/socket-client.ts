import { type ClientOptions, WebSocket } from 'ws';

/** How a socket ended: the close code (1006: dropped), or the HTTP status that refused it. */
export interface End {
  code: number;
  reason: string;
}

/** A client of the API's WebSockets, as Prefect's own: sub-protocol, then authentication by the first message. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly messages: unknown[] = [];
  readonly ended: Promise<End>;

  private constructor(url: string, protocols: string[], options: ClientOptions) {
    this.socket = new WebSocket(url, protocols, options);
    const { promise, resolve } = Promise.withResolvers<End>();
    this.ended = promise;
    this.socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
    this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    this.socket.on('unexpected-response', (_request, response) => resolve({ code: response.statusCode ?? 0, reason: '' }));
    this.socket.on('error', () => {});
  }

  /** Opens a connection; resolves when it is open or has been refused. */
  static async open(url: string, { protocols = ['prefect'], ...options }: ClientOptions & { protocols?: string[] } = {}): Promise<SocketClient> {
    const client = new SocketClient(url, protocols, options);
    await Promise.race([new Promise((resolve) => client.socket.once('open', resolve)), client.ended]);
    return client;
  }

  /** Opens and authenticates. */
  static async connect(url: string, token: string | null = null): Promise<SocketClient> {
    const client = await SocketClient.open(url);
    client.send({ type: 'auth', token });
    await client.next((message) => Reflect.get(Object(message), 'type') === 'auth_success');
    client.messages.length = 0;
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The first message, received already or to come, that fits. */
  async next(fits: (message: unknown) => boolean = () => true): Promise<unknown> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      const message = new Promise((resolve) => this.socket.once('message', resolve));
      const end = await Promise.race([message.then(() => undefined), this.ended]);
      if (end) throw new Error(`the socket ended: ${end.code} ${end.reason}`);
    }
  }

  /** Pings, and resolves with the pong: Prefect's checkpoint. */
  async ping(): Promise<void> {
    const pong = new Promise((resolve) => this.socket.once('pong', resolve));
    this.socket.ping();
    const end = await Promise.race([pong.then(() => undefined), this.ended]);
    if (end) throw new Error(`the socket ended: ${end.code} ${end.reason}`);
  }

  close(): void {
    this.socket.close();
  }
}
