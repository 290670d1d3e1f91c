import { z } from 'zod';
import { boolean, float, integer } from './primitives.ts';

/* `empirical_policy` of runs: how often and when to try again (facts/orchestration.md §1). */

const retryFields = () => ({
  /** Deprecated spellings of the two below; they count where those are empty. */
  max_retries: integer().default(0),
  retry_delay_seconds: float().default(0),
  retries: integer()
    .nullish()
    .transform((value) => value ?? null),
});

interface Retries {
  max_retries: number;
  retry_delay_seconds: number;
  retries: number | null;
}

function withDeprecated<T extends Retries & { retry_delay: unknown }>(policy: T): T {
  return {
    ...policy,
    retries: policy.retries ?? (policy.max_retries || null),
    retry_delay: policy.retry_delay ?? (policy.retry_delay_seconds || null),
  };
}

export const flowRunPolicy = z
  .object({
    ...retryFields(),
    retry_delay: integer()
      .nullish()
      .transform((value) => value ?? null),
    pause_keys: z
      .array(z.string())
      .nullish()
      .transform((value): string[] => [...new Set(value)]),
    resuming: boolean().nullish().default(false),
    retry_type: z
      .enum(['in_process', 'reschedule'])
      .nullish()
      .transform((value) => value ?? null),
  })
  .transform(withDeprecated)
  .meta({ id: 'FlowRunPolicy' });
export type FlowRunPolicy = z.output<typeof flowRunPolicy>;

export const taskRunPolicy = z
  .object({
    ...retryFields(),
    retry_delay: z
      .union([float(), z.array(float()).max(50)])
      .nullish()
      .transform((value) => value ?? null),
    retry_jitter_factor: float((number) => number.min(0))
      .nullish()
      .transform((value) => value ?? null),
  })
  .transform(withDeprecated)
  .meta({ id: 'TaskRunPolicy' });
export type TaskRunPolicy = z.output<typeof taskRunPolicy>;
