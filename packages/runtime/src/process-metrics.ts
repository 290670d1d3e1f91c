import { type Histogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry, collectDefaultMetrics } from 'prom-client';

/** As good as never: prom-client would look at the event loop by a timer, which wakes a process at rest a hundred times a second. */
const NEVER_MS = 2 ** 31 - 1;

const READINGS: Record<string, (rounds: Histogram) => number> = {
  min: ({ min }) => min,
  max: ({ max }) => max,
  mean: ({ mean }) => mean,
  stddev: ({ stddev }) => stddev,
  p50: (rounds) => rounds.percentile(50),
  p90: (rounds) => rounds.percentile(90),
  p99: (rounds) => rounds.percentile(99),
};

/**
 * Registers what prom-client tells of any Node process. `nodejs_eventloop_lag_…_seconds`, under its names, tell how long the
 * rounds of the event loop took since the last scrape: without its timer, whose interval would also be part of each figure.
 */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  const rounds = monitorEventLoopDelay({ samplePerIteration: true });
  rounds.enable();
  for (const [reading, read] of Object.entries(READINGS)) {
    const name = `nodejs_eventloop_lag_${reading}_seconds`;
    registry.removeSingleMetric(name);
    const gauge = new Gauge({
      name,
      help: `How long rounds of the event loop took since the last scrape: ${reading}.`,
      registers: [],
      collect() {
        this.set(read(rounds) / 1e9);
        // The last of them is read.
        if (reading === 'p99') rounds.reset();
      },
    });
    registry.registerMetric(gauge);
  }
}
