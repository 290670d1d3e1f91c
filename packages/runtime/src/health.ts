/** The truth about a process, collected from its parts: `/health` is liveness by progress, `/ready` readiness to serve. */
export interface Health {
  /** A named condition that must hold for the process to be ready (a database that answers, a broker that is connected). */
  addReadiness(name: string, check: () => boolean | Promise<boolean>): void;
  /** Notes progress of a loop; liveness fails when a loop has made none for `maxAgeSeconds`. */
  noteProgress(loop: string, maxAgeSeconds: number): void;
  isLive(): { live: boolean; details: Record<string, number> };
  isReady(): Promise<{ ready: boolean; details: Record<string, boolean> }>;
}
