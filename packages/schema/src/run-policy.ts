import { z } from 'zod';
import { boolean, float, integer } from './primitives.ts';
import { taggedUnion } from './tagged-union.ts';
import { textSet } from './text-set.ts';

/* `empirical_policy` of runs: how often and when to try again (facts/orchestration.md §1). */

const MAXIMUM_DELAYS = 50;

const retryFields = () => ({
  /** Deprecated spellings of the two below; they count where those are empty. */
  max_retries: integer().default(0).meta({ deprecated: true }),
  retry_delay_seconds: float().default(0).meta({ deprecated: true }),
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
  const { retries, max_retries, retry_delay, retry_delay_seconds } = policy;
  return { ...policy, retries: retries || max_retries || retries, retry_delay: retry_delay || retry_delay_seconds || retry_delay };
}

export const flowRunPolicy = z
  .object({
    ...retryFields(),
    retry_delay: integer()
      .nullish()
      .transform((value) => value ?? null),
    pause_keys: textSet()
      .nullish()
      .transform((value): string[] => value ?? []),
    resuming: boolean().nullish().default(false),
    retry_type: z
      .literal(['in_process', 'reschedule'])
      .nullish()
      .transform((value) => value ?? null),
  })
  .transform(withDeprecated)
  // Clients read whole seconds in the place of the deprecated ones.
  .refine(({ retry_delay }) => retry_delay === null || Number.isInteger(retry_delay), {
    path: ['retry_delay_seconds'],
    message: 'Input should be a valid integer, got a number with a fractional part',
    params: { type: 'int_from_float' },
  })
  .meta({ id: 'FlowRunPolicy' });
export type FlowRunPolicy = z.output<typeof flowRunPolicy>;

export const taskRunPolicy = z
  .object({
    ...retryFields(),
    retry_delay: taggedUnion({ int: integer(), float: float(), 'list[int]': z.array(integer()), 'list[float]': z.array(float()) })
      .refine((delays) => !Array.isArray(delays) || delays.length <= MAXIMUM_DELAYS, `A task has at most ${MAXIMUM_DELAYS} retry delays.`)
      .nullish()
      .transform((value) => value ?? null)
      .meta({ describedAs: z.union([z.int(), z.number(), z.array(z.int()), z.array(z.number())]).nullable() }),
    retry_jitter_factor: float()
      .refine((factor) => factor >= 0, 'A jitter factor is not negative.')
      .nullish()
      .transform((value) => value ?? null)
      .meta({ describedAs: z.number().nullable() }),
  })
  .transform(withDeprecated)
  .meta({ id: 'TaskRunPolicy' });
export type TaskRunPolicy = z.output<typeof taskRunPolicy>;
