import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Health } from './health.ts';
import type { Logger } from './logger.ts';

/** What a tick reports to. */
export interface TickInstruments {
  logger: Logger;
  registry: Registry;
  health: Health;
}

/** What is done at each tick. One that may take very long calls `noteProgress` now and then, see `LONGEST_SILENCE_SECONDS`. */
export type TickWork = (signal: AbortSignal, noteProgress: () => void) => Promise<void>;

export interface Tick {
  /** Runs the work once, or waits for the run that is going on: runs never overlap. Does nothing after the signal; never throws. */
  run(): Promise<void>;
  /** Notes that the loop watches while others have the ticks. A run that is going on must make progress of its own. */
  noteWatching(): void;
}

export type CreateTick = (name: string, intervalSeconds: number, work: TickWork, signal: AbortSignal) => Tick;

/** A loop that is at rest and has not come round for this long hangs. */
const longestRest = (intervalSeconds: number) => Math.max(120, 5 * intervalSeconds);

/**
 * A run that has told nothing for this long hangs. It may have a backlog of many batches before it, and slow statements are
 * ended by Postgres well before.
 */
const LONGEST_SILENCE_SECONDS = 1800;

/** Makes ticks that log their errors, time themselves and report progress. */
export function createTicks({ logger, registry, health }: TickInstruments): CreateTick {
  const registers = [registry];
  const labelNames = ['tick'] as const;
  const duration = new Histogram({ name: 'praetor_tick_duration_seconds', help: 'Time that one run of a periodic loop took.', labelNames, registers });
  const failures = new Counter({ name: 'praetor_tick_failures_total', help: 'Runs of a periodic loop that ended in an error.', labelNames, registers });
  const success = new Gauge({ name: 'praetor_tick_last_success_timestamp_seconds', help: 'When a periodic loop last ended well.', labelNames, registers });

  return (name, intervalSeconds, work, signal) => {
    const noteRest = () => health.noteProgress(name, longestRest(intervalSeconds));
    const noteRun = () => health.noteProgress(name, LONGEST_SILENCE_SECONDS);

    async function run(): Promise<void> {
      const stopTimer = duration.startTimer({ tick: name });
      // Also the first run may hang.
      noteRun();
      try {
        await work(signal, noteRun);
        success.setToCurrentTime({ tick: name });
      } catch (error) {
        failures.inc({ tick: name });
        logger.error({ error, tick: name }, 'a periodic loop failed and will be tried again');
      } finally {
        stopTimer();
        // Failing is progress too: a restart mends a loop that hangs, not a database that is away; readiness tells of that.
        noteRest();
      }
    }

    let running: Promise<void> | undefined;
    return {
      async run() {
        if (running === undefined && !signal.aborted)
          running = run().finally(() => {
            running = undefined;
          });
        await running;
      },
      noteWatching() {
        if (running === undefined) noteRest();
      },
    };
  };
}
