import { classifyDatabaseError } from '@praetor/database/errors';
import { publishEvents } from '@praetor/orchestration/changes';
import type { ServiceContext } from '@praetor/runtime/service';
import { backoff, pause } from '@praetor/streams/backoff';
import type { TriggeredAction } from '../triggered-action.ts';
import { ActionFailedError, ActionInterruptedError, type Outcome, actionEvents } from './outcome.ts';
import { type ClaimedAction, claimActions, finishAction, postponeAction } from './queue.ts';

export interface Attempt {
  /** Another attempt came before, and may have got anywhere. */
  isRepeated: boolean;
  /** No other attempt will follow. */
  isLast: boolean;
  /** Aborts when the attempt takes too long. A process that stops finishes what it has in hand. */
  signal: AbortSignal;
}

/** Carries out one action. Throws ActionFailedError where it cannot be. */
export type PerformAction = (triggered: TriggeredAction, attempt: Attempt) => Promise<Outcome>;

export interface ActionWorkerOptions {
  context: Pick<ServiceContext, 'database' | 'broker' | 'logger'>;
  perform: PerformAction;
  onFinished: (action: TriggeredAction, result: 'executed' | 'failed') => void;
  onRetry: () => void;
  /** Called whenever the loop turns. */
  onProgress: () => void;
}

/** Actions that one process carries out side by side. */
const CONCURRENCY = 16;
/** An action that was claimed and not finished comes back after this time; longer than any action may take. */
const LEASE_SECONDS = 60;
const MAXIMUM_SECONDS = 45;
/** Actions of other replicas are found this late at most. */
const POLL_MS = 1000;
const MAXIMUM_ATTEMPTS = 6;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

/** Carries out queued actions, each once unless its process dies in the middle of it. */
export class ActionWorker {
  readonly #options: ActionWorkerOptions;
  readonly #running = new Set<Promise<void>>();
  #wake = new AbortController();

  constructor(options: ActionWorkerOptions) {
    this.#options = options;
  }

  /** There is something to do. */
  wake(): void {
    this.#wake.abort();
  }

  /** Works until the signal aborts; what is in hand then is finished. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      this.#options.onProgress();
      this.#wake = new AbortController();
      try {
        const started = await this.#startDue();
        failures = 0;
        if (started > 0 && this.#running.size < CONCURRENCY) continue;
      } catch (error) {
        this.#options.context.logger.warn({ error }, 'actions cannot be read');
        await pause(backoff(failures++), signal);
      }
      await pause(POLL_MS, AbortSignal.any([signal, this.#wake.signal]));
    }
    await Promise.all(this.#running);
  }

  async #startDue(): Promise<number> {
    const free = CONCURRENCY - this.#running.size;
    const claimed = free > 0 ? await claimActions(this.#options.context.database.sql, free, LEASE_SECONDS) : [];
    for (const one of claimed) {
      const work: Promise<void> = this.#carryOut(one).finally(() => {
        this.#running.delete(work);
        this.wake();
      });
      this.#running.add(work);
    }
    return claimed.length;
  }

  async #carryOut(claimed: ClaimedAction): Promise<void> {
    const { action, attempts } = claimed;
    const { context, perform, onFinished, onRetry } = this.#options;
    const { database, logger } = context;
    try {
      const attempt = { isRepeated: attempts > 1, isLast: attempts >= MAXIMUM_ATTEMPTS, signal: AbortSignal.timeout(MAXIMUM_SECONDS * 1000) };
      // Whatever ended the processes that tried before is not given another one.
      const outcome = attempts > MAXIMUM_ATTEMPTS ? new ActionFailedError(`None of ${MAXIMUM_ATTEMPTS} attempts came to an end.`) : await this.#attempt(() => perform(action, attempt));
      if (outcome instanceof ActionInterruptedError && attempts < MAXIMUM_ATTEMPTS) {
        onRetry();
        return await postponeAction(database.sql, claimed, backoff(attempts - 1, FIRST_RETRY_MS, LONGEST_RETRY_MS) / 1000);
      }
      const failure = outcome instanceof ActionFailedError ? outcome.message : undefined;
      const events = await finishAction(database.sql, action.id, actionEvents(action, outcome, failure));
      if (events.length === 0) return;
      onFinished(action, failure === undefined ? 'executed' : 'failed');
      publishEvents(context, events);
    } catch (error) {
      // The database is away: the action comes back when its lease is over.
      logger.warn({ error, action: action.id }, 'an action could not be finished and will be tried again');
    }
  }

  /** What an action has done, or why it did not. Whatever is not foreseen is tried again, but not for ever. */
  async #attempt(work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ActionFailedError) return error;
      if (classifyDatabaseError(error) === 'unavailable') throw error;
      this.#options.context.logger.error({ error }, 'an action failed');
      return new ActionInterruptedError(`Unexpected error: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
