import { z } from 'zod';
import { unwrapNumber } from './json.ts';
import { refuse } from './problem.ts';
import { EARLIEST_MILLISECONDS, LATEST_MILLISECONDS, type Timestamp, fromMicroseconds, normalizeTimestamp } from './timestamps.ts';

/* Moments as pydantic reads them from the wire. */

const EPOCH = /^[+-]?\d{1,18}(?:\.\d+)?$/;
/** Large numbers are milliseconds, others seconds; undefined beyond the years 1 to 9999. */
function fromEpoch(number: number): Timestamp | undefined {
  const milliseconds = Math.abs(number) > 2e10 ? number : number * 1000;
  return milliseconds >= EARLIEST_MILLISECONDS && milliseconds <= LATEST_MILLISECONDS ? fromMicroseconds(Math.round(milliseconds * 1000)) : undefined;
}

function readTimestamp(value: unknown, context: z.core.ParsePayload, normalize: (text: string) => Timestamp | undefined): unknown {
  if (value === undefined) return value;
  if (typeof value === 'string') {
    const normalized = normalize(value);
    if (normalized !== undefined) return normalized;
    const moment = EPOCH.test(value) ? fromEpoch(Number(value)) : undefined;
    return moment ?? refuse(context, value, 'value_error', `Value error, Unable to parse string [${value}]`, { error: {} });
  }
  const number = unwrapNumber(value);
  const moment = typeof number === 'number' ? fromEpoch(number) : undefined;
  return moment ?? refuse(context, value, 'value_error', 'value is not a valid datetime');
}

/**
 * A moment: ISO 8601 text with any offset (none means UTC), or seconds or milliseconds since 1970; the value is in wire
 * form, or what `normalize` makes of the text.
 */
export const timestamp = (normalize = normalizeTimestamp) =>
  z.preprocess((value, context) => readTimestamp(value, context, normalize), z.string().meta({ format: 'date-time' }));
