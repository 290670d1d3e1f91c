import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Health } from './health.ts';
import type { Logger } from './logger.ts';

/** What a tick reports to. */
export interface TickInstruments {
  logger: Logger;
  registry: Registry;
  health: Health;
}

/** Runs the work once, or waits for the run that is going on: runs never overlap. Does nothing after the signal; never throws. */
export type Tick = () => Promise<void>;

export type CreateTick = (name: string, intervalSeconds: number, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) => Tick;

/** A loop that has not come round for this long hangs; slow statements are ended by Postgres well before. */
const maxAgeSeconds = (intervalSeconds: number) => Math.max(120, 5 * intervalSeconds);

/** Makes ticks that log their errors, time themselves and report progress. */
export function createTicks({ logger, registry, health }: TickInstruments): CreateTick {
  const registers = [registry];
  const labelNames = ['tick'] as const;
  const duration = new Histogram({ name: 'praetor_tick_duration_seconds', help: 'Time that one run of a periodic loop took.', labelNames, registers });
  const failures = new Counter({ name: 'praetor_tick_failures_total', help: 'Runs of a periodic loop that ended in an error.', labelNames, registers });
  const success = new Gauge({ name: 'praetor_tick_last_success_timestamp_seconds', help: 'When a periodic loop last ended well.', labelNames, registers });

  return (name, intervalSeconds, work, signal) => {
    async function run(): Promise<void> {
      const stopTimer = duration.startTimer({ tick: name });
      try {
        await work(signal);
        success.setToCurrentTime({ tick: name });
      } catch (error) {
        failures.inc({ tick: name });
        logger.error({ error, tick: name }, 'a periodic loop failed and will be tried again');
      } finally {
        stopTimer();
        // Failing is progress too: a restart mends a loop that hangs, not a database that is away; readiness tells of that.
        health.noteProgress(name, maxAgeSeconds(intervalSeconds));
      }
    }

    let running: Promise<void> | undefined;
    return async () => {
      if (running === undefined && !signal.aborted)
        running = run().finally(() => {
          running = undefined;
        });
      await running;
    };
  };
}
