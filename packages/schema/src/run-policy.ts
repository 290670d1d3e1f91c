import { z } from 'zod';
import { isJsonObject, unwrapNumber } from './json.ts';
import { boolean, float, integer, orNull } from './primitives.ts';
import { taggedUnion } from './tagged-union.ts';
import { textSet } from './text-set.ts';

/* `empirical_policy` of runs: how often and when to try again (facts/orchestration.md §1). */

const MAXIMUM_DELAYS = 50;

const retryFields = () => ({
  /** Deprecated spellings of the two below; they count where those are empty. */
  max_retries: integer().default(0).meta({ deprecated: true }),
  retry_delay_seconds: float().default(0).meta({ deprecated: true }),
  retries: orNull(integer()),
});

/** Copies the deprecated fields, as they were sent, to where the others are empty. */
function withDeprecated(policy: unknown): unknown {
  if (!isJsonObject(policy)) return policy;
  const { retries, max_retries = 0, retry_delay, retry_delay_seconds = 0 } = policy;
  const isMeant = (value: unknown, deprecated: unknown) => !value && unwrapNumber(deprecated) !== 0;
  const copied = { ...(isMeant(retries, max_retries) && { retries: max_retries }), ...(isMeant(retry_delay, retry_delay_seconds) && { retry_delay: retry_delay_seconds }) };
  return Object.keys(copied).length === 0 ? policy : { ...policy, ...copied };
}

const flowRunPolicyFields = z
  .object({
    ...retryFields(),
    retry_delay: orNull(integer()),
    pause_keys: textSet()
      .nullish()
      .transform((value): string[] => value ?? []),
    resuming: boolean().nullish().default(false),
    retry_type: orNull(z.literal(['in_process', 'reschedule'])),
  })
  .meta({ id: 'FlowRunPolicy' });
export const flowRunPolicy = z.preprocess(withDeprecated, flowRunPolicyFields);
export type FlowRunPolicy = z.output<typeof flowRunPolicy>;

const taskRunPolicyFields = z
  .object({
    ...retryFields(),
    retry_delay: orNull(
      taggedUnion({ int: integer(), float: float(), 'list[int]': z.array(integer()), 'list[float]': z.array(float()) })
        .refine((delays) => !Array.isArray(delays) || delays.length <= MAXIMUM_DELAYS, `A task has at most ${MAXIMUM_DELAYS} retry delays.`),
    ).meta({ describedAs: z.union([z.int(), z.number(), z.array(z.int()), z.array(z.number())]).nullable() }),
    retry_jitter_factor: orNull(float().refine((factor) => factor >= 0, 'A jitter factor is not negative.')).meta({ describedAs: z.number().nullable() }),
  })
  .meta({ id: 'TaskRunPolicy' });
export const taskRunPolicy = z.preprocess(withDeprecated, taskRunPolicyFields);
export type TaskRunPolicy = z.output<typeof taskRunPolicy>;
