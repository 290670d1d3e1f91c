import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { IncompatibleDatabaseError } from '@praetor/database/migrate';
import { SettingsError } from '@praetor/schema/setting';
import type { Settings } from '@praetor/schema/settings';
import { type Logger, createLogger } from './logger.ts';
import type { Service } from './service.ts';
import { loadSettings } from './settings.ts';

/** Why this process cannot start, said to the person who started it: printed as it is, without a stack. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}

/** One Ctrl-C reaches a process several times when npm and pnpm pass it on; one that comes this much later means it. */
const IMPATIENCE_MS = 1000;

/** Aborts at SIGTERM, SIGINT or the end of the terminal. Whoever is not done after `timeoutSeconds`, or is told again, is ended. */
function abortOnSignals(timeoutSeconds: number, logger: Logger): AbortSignal {
  const controller = new AbortController();
  let stoppedAt = 0;
  function stop(signal: NodeJS.Signals): void {
    if (controller.signal.aborted) {
      if (performance.now() - stoppedAt > IMPATIENCE_MS) process.exit(1);
      return;
    }
    stoppedAt = performance.now();
    logger.info({ signal }, 'stopping');
    controller.abort();
    setTimeout(() => {
      logger.fatal(`not done after ${timeoutSeconds} s, ending`);
      process.exit(1);
    }, timeoutSeconds * 1000).unref();
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  return controller.signal;
}

export interface Process {
  settings: Settings;
  logger: Logger;
  /** Aborts when the process is to stop. */
  signal: AbortSignal;
}

/**
 * Schemas bring patterns of users, and `^(a+)+$` keeps V8 busy for minutes over thirty characters. A pattern that goes back
 * too often is matched anew in linear time. Those with lookarounds, back references or long counted repetitions cannot be.
 */
function boundPatterns(): void {
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}

/**
 * The frame of every process: reads the settings, turns signals into an abort, and gives the exit code: 0 when `main`
 * resolves, 1 when it throws. What the user got wrong is told in one line per problem.
 */
export async function runMain(name: string, main: (process: Process) => Promise<void>, forPeople?: boolean): Promise<void> {
  boundPatterns();
  let logger: Logger | undefined;
  try {
    const settings = loadSettings();
    logger = createLogger(name, settings, forPeople);
    await main({ settings, logger, signal: abortOnSignals(settings.shutdownTimeoutSeconds, logger) });
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof SettingsError || error instanceof StartupError || error instanceof IncompatibleDatabaseError) process.stderr.write(`${error.message}\n`);
    else if (logger) logger.fatal({ error }, 'failed');
    else throw error;
  }
}

/**
 * Runs services side by side until the signal aborts, or one of them fails, whose error is then thrown. The stages stop
 * one after the other: each is told when all of the stage before it have drained.
 */
export async function runServices(stages: readonly (readonly Service[])[], signal: AbortSignal): Promise<void> {
  const failure = new AbortController();
  const running = stages.map((services) => {
    const stage = new AbortController();
    const ended = Promise.allSettled(
      services.map(async (service) => {
        try {
          await service.run(stage.signal);
        } catch (error) {
          failure.abort(error);
        }
      }),
    );
    return { stage, ended };
  });
  const stop = AbortSignal.any([signal, failure.signal]);
  // Services that are switched off end by themselves; with nothing left to run there is no signal to wait for.
  const everythingEnded = Promise.all(running.map(({ ended }) => ended));
  if (!stop.aborted) await Promise.race([once(stop, 'abort'), everythingEnded]);
  for (const { stage, ended } of running) {
    stage.abort();
    await ended;
  }
  failure.signal.throwIfAborted();
}
