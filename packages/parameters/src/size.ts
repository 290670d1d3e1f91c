import { ValidationError } from '@praetor/schema/errors';
import { type JsonObject, toJson } from '@praetor/schema/json';
import type { Settings } from '@praetor/schema/settings';

/** Throws ValidationError where the JSON text of parameters is larger than PREFECT_SERVER_API_MAX_PARAMETER_SIZE (0: any size). */
export function checkParameterSize(parameters: JsonObject | undefined, { api }: Pick<Settings, 'api'>): void {
  const maximum = api.maxParameterSizeBytes;
  if (maximum === 0 || parameters === undefined) return;
  const size = Buffer.byteLength(toJson(parameters));
  if (size <= maximum) return;
  const msg = `Value error, Flow run parameters must take at most ${maximum} bytes as JSON; these take ${size}.`;
  throw new ValidationError([{ type: 'value_error', loc: ['body', 'parameters'], msg, input: parameters, ctx: { error: {} } }], { parameters });
}
