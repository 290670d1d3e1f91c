import { z } from 'zod';
import { type RawJson, isRawJson } from './json.ts';

type Label = string | number | boolean | RawJson;

/** The kinds of a label, as pydantic names and misses them. */
const KINDS = [
  { name: 'bool', type: 'bool_type', message: 'Input should be a valid boolean' },
  { name: 'int', type: 'int_type', message: 'Input should be a valid integer' },
  { name: 'float', type: 'float_type', message: 'Input should be a valid number' },
  { name: 'str', type: 'string_type', message: 'Input should be a valid string' },
].map((kind) => ({ ...kind, tag: Symbol(kind.name) }));

function readLabel(value: unknown, { issues }: z.core.ParsePayload): Label {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || isRawJson(value)) return value;
  for (const { tag, type, message } of KINDS) issues.push({ code: 'custom', input: value, path: [tag], message, params: { type } });
  return z.NEVER;
}

const label = z
  .unknown()
  .transform(readLabel)
  .meta({ anyOf: ['boolean', 'integer', 'number', 'string'].map((type) => ({ type })) });

/** Labels of flows, deployments and runs: free keys, values are texts, numbers and booleans. */
export const labels = () => z.record(z.string(), label);
export type Labels = z.output<ReturnType<typeof labels>>;
