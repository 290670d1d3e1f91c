/** The truth about a process, collected from its parts: `/health` is liveness by progress, `/ready` readiness to serve. */
export interface Health {
  /** A named condition that must hold for the process to be ready (a database that answers, a broker that is connected). */
  addReadiness(name: string, check: () => boolean | Promise<boolean>): void;
  /** Notes progress of a loop; liveness fails when a loop has made none for `maxAgeSeconds`. */
  noteProgress(loop: string, maxAgeSeconds: number): void;
  /** `details`: seconds since each loop's last progress. */
  isLive(): { live: boolean; details: Record<string, number> };
  isReady(): Promise<{ ready: boolean; details: Record<string, boolean> }>;
}

/** A check that has not answered by then counts as failed: a probe must not hang with the thing it probes. */
const CHECK_TIMEOUT_MS = 2000;

async function holds(check: () => boolean | Promise<boolean>): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, CHECK_TIMEOUT_MS, false);
  try {
    return await Promise.race([check(), timeout]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** `now` is a monotonic clock in ms. */
export function createHealth(now: () => number = () => performance.now()): Health {
  const checks = new Map<string, () => boolean | Promise<boolean>>();
  const loops = new Map<string, { at: number; maxAgeSeconds: number }>();
  return {
    addReadiness(name, check) {
      checks.set(name, check);
    },
    noteProgress(loop, maxAgeSeconds) {
      loops.set(loop, { at: now(), maxAgeSeconds });
    },
    isLive() {
      const ages = [...loops].map(([loop, { at, maxAgeSeconds }]) => ({ loop, age: (now() - at) / 1000, maxAgeSeconds }));
      return {
        live: ages.every(({ age, maxAgeSeconds }) => age <= maxAgeSeconds),
        details: Object.fromEntries(ages.map(({ loop, age }) => [loop, age])),
      };
    },
    async isReady() {
      const results = await Promise.all([...checks].map(async ([name, check]) => [name, await holds(check)] as const));
      return { ready: results.every(([, held]) => held), details: Object.fromEntries(results) };
    },
  };
}
