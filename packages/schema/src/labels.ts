import { z } from 'zod';
import { type RawJson, isRawJson } from './json.ts';

const label = z.custom<string | number | boolean | RawJson>(
  (value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || isRawJson(value),
  { message: 'Input should be a valid string', params: { type: 'string_type' } },
);

/** Labels of flows, deployments and runs: free keys, values are texts, numbers and booleans. */
export const labels = () => z.record(z.string(), label);
export type Labels = z.output<ReturnType<typeof labels>>;
