import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until there is an answer other than undefined or false; fails with `what` after `seconds`. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, seconds = 15): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}
