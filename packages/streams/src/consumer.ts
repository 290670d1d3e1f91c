import { backoff, pause } from './backoff.ts';
import { type ConsumeOptions, type DeadLetter, type Message, MessagesFailedError } from './broker.ts';

/** One member's view of a group: where a consumer gets its messages from and what becomes of them. */
export interface Subscription {
  /** The next messages, at most `limit`. Waits up to `waitMs` for the first; none come while the connection is lost. */
  read(limit: number, waitMs: number): Promise<Message[]>;
  acknowledge(messages: readonly Message[]): Promise<void>;
  /** Tells the group that these are still being worked on, so that no other member takes them over. */
  keep(messages: readonly Message[]): Promise<void>;
  /** Leaves the group; what was read and not acknowledged goes to the other members. */
  close(): Promise<void>;
}

/** A consumer looks for messages at least this often, which bounds how long it takes to stop. */
const WAIT_MS = 1000;
const KEEP_INTERVAL_MS = 2000;
/**
 * A batch that was not full is followed by a rest, in which the next one gathers: what comes alone is handled at once, and
 * under load a statement serves many messages instead of one or two. After a silence the rest is short, since what came may
 * be the first of many, and after many. It ends with a step of the clock, so that the consumers of a process wake it together.
 */
const REST_MS = 150;
const SHORT_REST_MS = 10;
const SILENCE_MS = 200;
const MANY = 50;
const STEP_MS = 10;
const FIRST_RETRY_MS = 200;

/** A message that failed and when it is tried again. */
interface Retry {
  message: Message;
  due: number;
}

/**
 * The loop of every consumer: read a batch, have it handled, acknowledge it. Failed messages are tried again later, beside
 * the new ones, and saved as dead letters in the end, so that nothing blocks the stream and nothing is lost in silence.
 */
export async function runConsumer(subscription: Subscription, options: ConsumeOptions, saveDeadLetter: (letter: DeadLetter) => Promise<void>): Promise<void> {
  const { topic, group, batchSize, maxAttempts, handle, isOutage, signal } = options;
  const noteProgress = options.onProgress ?? (() => {});
  const inHand = new Set<Message>();
  let retries: Retry[] = [];

  /**
   * Handles messages in ever smaller parts until the bad ones are alone; gives them with their errors. An outage is never
   * their fault; the parts get smaller all the same, since a batch that is too slow looks like one.
   */
  async function attempt(messages: readonly Message[], outages = 0): Promise<Map<Message, unknown>> {
    try {
      await handle(messages);
      return new Map();
    } catch (error) {
      if (error instanceof MessagesFailedError) return new Map(error.failures);
      const isAway = isOutage(error);
      if (isAway) {
        if (signal.aborted) throw error;
        noteProgress();
        await pause(backoff(outages), signal);
      }
      const [only] = messages;
      if (only && messages.length === 1) return isAway ? attempt(messages, outages + 1) : new Map([[only, error]]);
      const middle = Math.ceil(messages.length / 2);
      const left = await attempt(messages.slice(0, middle), outages + 1);
      return new Map([...left, ...(await attempt(messages.slice(middle)))]);
    }
  }

  async function bury(message: Message, error: unknown): Promise<void> {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    await saveDeadLetter({ topic, group, data: message.data, error: text, attempts: message.attempts });
    await subscription.acknowledge([message]);
    inHand.delete(message);
  }

  async function work(batch: readonly Message[]): Promise<void> {
    for (const message of batch) inHand.add(message);
    const failures = await attempt(batch);
    const done = batch.filter((message) => !failures.has(message));
    await subscription.acknowledge(done);
    for (const message of done) inHand.delete(message);
    for (const [failed, error] of failures) {
      inHand.delete(failed);
      const message = { ...failed, attempts: failed.attempts + 1 };
      inHand.add(message);
      // A dead letter that cannot be saved now is one more thing to try again.
      const buried = message.attempts >= maxAttempts && (await bury(message, error).then(() => true, () => false));
      if (!buried) retries.push({ message, due: performance.now() + backoff(message.attempts, FIRST_RETRY_MS) });
    }
  }

  /** Retries that are due come first; new messages are not read while a whole batch of failures waits. */
  async function next(): Promise<Message[]> {
    const now = performance.now();
    const due = retries.filter((retry) => retry.due <= now).slice(0, batchSize);
    if (due.length > 0) {
      retries = retries.filter((retry) => !due.includes(retry));
      return due.map((retry) => retry.message);
    }
    const waitMs = Math.min(WAIT_MS, ...retries.map((retry) => Math.ceil(retry.due - now)));
    if (retries.length < batchSize) return subscription.read(batchSize, waitMs);
    await pause(waitMs, signal);
    return [];
  }

  let worked = -Infinity;
  const keeper = setInterval(() => void subscription.keep([...inHand]), KEEP_INTERVAL_MS);
  try {
    while (!signal.aborted) {
      noteProgress();
      const batch = await next();
      if (batch.length === 0) continue;
      const rest = performance.now() - worked > SILENCE_MS || batch.length >= MANY ? SHORT_REST_MS : REST_MS;
      await work(batch);
      worked = performance.now();
      if (batch.length < batchSize) await pause(Math.ceil((worked + rest) / STEP_MS) * STEP_MS - worked, signal);
    }
  } catch (error) {
    // Stopped in the middle of an outage: the batch stays unacknowledged and goes to another member.
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(keeper);
    await subscription.close();
  }
}
