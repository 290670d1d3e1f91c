import { pause } from '@praetor/streams/backoff';
import type { WebSocket } from 'ws';

/** What a peer sends. Pings are among it only where the route answers them itself. */
export type Frame = { kind: 'message'; text: string } | { kind: 'ping'; data: Buffer };

/** Frames that wait for their reader, and their characters together; beyond it the peer has to wait. */
const QUEUE_LIMIT = 64;
const QUEUE_CHARACTERS = 1_000_000;

const sizeOf = (frame: Frame): number => (frame.kind === 'message' ? frame.text.length : frame.data.length);

/** A WebSocket as a sequence: frames are taken one after the other, and nobody sends faster than they are taken. */
export class Connection {
  /** Aborts when the peer is gone, and when the server stops. */
  readonly signal: AbortSignal;
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  readonly #socket: WebSocket;
  readonly #queue: Frame[] = [];
  #characters = 0;
  #wake: () => void = () => {};
  #isIgnoring = false;
  #closeCode: number | undefined;

  constructor(socket: WebSocket, stopping: AbortSignal, queuesPings: boolean) {
    this.#socket = socket;
    this.stopping = stopping;
    const closed = new AbortController();
    this.signal = AbortSignal.any([closed.signal, stopping]);
    this.signal.addEventListener('abort', () => {
      // What has arrived is still handed over; more would never end. What is thrown away may come, an answer to `close` among it.
      if (!this.#isIgnoring) socket.pause();
      this.#wake();
    });
    socket.on('close', (code) => {
      this.#closeCode = code;
      closed.abort();
    });
    // What is wrong with a connection ends it; `close` follows.
    socket.on('error', () => {});
    socket.on('message', (data) => this.#enqueue({ kind: 'message', text: String(data) }));
    socket.on('ping', (data) => (queuesPings ? this.#enqueue({ kind: 'ping', data }) : this.pong(data)));
  }

  /** How the connection ended: the code that the peer gave, 1005 where it gave none, 1006 where it was lost. Undefined until then. */
  get closeCode(): number | undefined {
    return this.#closeCode;
  }

  #enqueue(frame: Frame): void {
    if (this.#isIgnoring) return;
    this.#queue.push(frame);
    this.#characters += sizeOf(frame);
    if (this.#queue.length >= QUEUE_LIMIT || this.#characters >= QUEUE_CHARACTERS) this.#socket.pause();
    this.#wake();
  }

  async #untilFrame(): Promise<void> {
    if (this.#queue.length > 0 || this.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }

  #resumeWhereThereIsRoom(): void {
    const hasRoom = this.#queue.length < QUEUE_LIMIT / 2 && this.#characters < QUEUE_CHARACTERS / 2;
    if (hasRoom && this.#socket.isPaused && !this.signal.aborted) this.#socket.resume();
  }

  /** The next frame; undefined when no more will come: the peer has left, or the server stops. */
  async receiveFrame(): Promise<Frame | undefined> {
    await this.#untilFrame();
    const frame = this.#queue.shift();
    if (frame) this.#characters -= sizeOf(frame);
    this.#resumeWhereThereIsRoom();
    return frame;
  }

  /** The frames that have come, at least one; none when no more will come. */
  async receiveFrames(): Promise<Frame[]> {
    await this.#untilFrame();
    const frames = this.#takeAll();
    this.#resumeWhereThereIsRoom();
    return frames;
  }

  #takeAll(): Frame[] {
    this.#characters = 0;
    return this.#queue.splice(0);
  }

  /** Lets what the peer sends gather for so many milliseconds, without waking this process for it. */
  async rest(milliseconds: number): Promise<void> {
    this.#socket.pause();
    await pause(milliseconds, this.signal);
    this.#resumeWhereThereIsRoom();
  }

  /** The next message. Pings that come before it are answered. */
  async receive(): Promise<string | undefined> {
    for (;;) {
      const frame = await this.receiveFrame();
      if (frame?.kind !== 'ping') return frame?.text;
      this.pong(frame.data);
    }
  }

  /** The next message as JSON. Throws SyntaxError, which drops the connection as Prefect does. */
  async receiveJson(): Promise<unknown> {
    const text = await this.receive();
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** From now on the peer has nothing more to say: what it sends is thrown away, so that it cannot block itself. */
  ignoreInput(): void {
    this.#isIgnoring = true;
    this.#takeAll();
    this.#socket.resume();
  }

  /** Resolves when the signal aborts. */
  async untilEnd(): Promise<void> {
    while ((await this.receiveFrame()) !== undefined);
  }

  /**
   * Sends a message; resolves when it has left the process: true, or when that is not to be waited for, because the peer is
   * gone or the server stops: false. What is sent after that goes out before the end if the peer takes it.
   */
  async send(text: string): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const giveUp = () => resolve(false);
    if (this.signal.aborted) giveUp();
    // A peer that reads nothing more would keep its handler from ending.
    else this.signal.addEventListener('abort', giveUp);
    this.#socket.send(text, (error) => {
      this.signal.removeEventListener('abort', giveUp);
      resolve(!error);
    });
    return await promise;
  }

  pong(data: Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.pong(data);
  }

  close(code: number, reason: string): void {
    // A socket that waits for a reader would never see the peer's answer.
    this.ignoreInput();
    this.#socket.close(code, reason);
  }

  /** Ends the connection without a word; the peer sees 1006. */
  drop(): void {
    this.#socket.terminate();
  }
}
