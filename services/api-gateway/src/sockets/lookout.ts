import { setTimeout as sleep } from 'node:timers/promises';

export interface LookoutOptions {
  /** Whether anybody still waits for what might be seen. */
  isWanted: () => boolean;
  look: () => Promise<void>;
  onError: (error: unknown) => void;
  intervalMs: number;
  intervalAfterErrorMs: number;
}

/** Looks again and again for all connections of this process at once, and only while one of them waits. */
export class Lookout {
  readonly #options: LookoutOptions;
  #isLooking = false;

  constructor(options: LookoutOptions) {
    this.#options = options;
  }

  /** Begins at once, unless it has begun. */
  begin(): void {
    if (!this.#isLooking) void this.#lookOnAndOn();
  }

  async #lookOnAndOn(): Promise<void> {
    const { isWanted, look, onError, intervalMs, intervalAfterErrorMs } = this.#options;
    this.#isLooking = true;
    while (isWanted()) {
      try {
        await look();
        await sleep(intervalMs);
      } catch (error) {
        onError(error);
        await sleep(intervalAfterErrorMs);
      }
    }
    this.#isLooking = false;
  }
}
