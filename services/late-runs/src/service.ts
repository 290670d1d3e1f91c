import type { CreateService } from '@praetor/runtime/service';
import { cancelChildTaskRuns, cancelSubflows, finishCancellations } from './clean-up-cancellations.ts';
import { crashSilentRuns } from './crash-silent-runs.ts';
import { expirePauses } from './expire-pauses.ts';
import { markLateRuns } from './mark-late.ts';
import { createMetrics } from './metrics.ts';

/** Moves on the runs that nobody else will: late ones, expired pauses, those whose process died, and what cancelled runs leave behind. */
export const createLateRuns: CreateService = (context) => {
  const metrics = createMetrics(context.registry);
  const { lateRuns, pauseExpirations, cancellationCleanup, silentRuns } = context.settings.services;
  const rounds = [
    { ...lateRuns, reason: 'late', settle: markLateRuns },
    { ...pauseExpirations, reason: 'pause-expired', settle: expirePauses },
    { ...cancellationCleanup, reason: 'cancelling-timeout', settle: finishCancellations },
    { ...cancellationCleanup, reason: 'child-task-run', settle: cancelChildTaskRuns },
    { ...cancellationCleanup, reason: 'sub-flow', settle: cancelSubflows },
    { ...silentRuns, reason: 'silent', settle: crashSilentRuns },
  ];
  return {
    name: 'late-runs',
    async run(signal) {
      await Promise.all(
        rounds
          .filter((round) => round.enabled)
          .map(({ reason, loopSeconds, settle }) =>
            context.ticker.every(reason, loopSeconds, async (tickSignal) => metrics.settled.inc({ reason }, await settle(context, tickSignal)), signal),
          ),
      );
    },
  };
};
