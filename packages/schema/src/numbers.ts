import { z } from 'zod';
import { isRawJson, unwrapNumber } from './json.ts';
import { refuse } from './problem.ts';

/* Numbers and booleans as pydantic reads them: also from text, and from each other. */

/** Python reads longer texts no more. */
const MAXIMUM_DIGITS = 4300;
/** What 64 bits hold: of more, no float stands for an integer, and no integer for a boolean. */
const MAXIMUM_FLOAT = 2 ** 63;

const INTEGER = /^[+-]?\d+(?:_\d+)*(?:\.0+)?$/;
const NUMBER = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?$/;
const NO_FINITE_NUMBER = /^[+-]?(?:nan|inf|infinity)$/i;

function fromText(text: string): number {
  return Number(text.replaceAll('_', ''));
}

/** Whether a JSON number was written like one that Python takes for a float. */
function isFloat(value: unknown): boolean {
  return isRawJson(value) ? /[.eE]/.test(value.rawJSON) : !Number.isInteger(value);
}

function readInteger(value: unknown, context: z.core.ParsePayload): unknown {
  if (Number.isSafeInteger(value) || value === undefined) return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') {
    const text = value.trim();
    if (!INTEGER.test(text)) return refuse(context, value, 'int_parsing', 'Input should be a valid integer, unable to parse string as an integer');
    if (text.length > MAXIMUM_DIGITS) return refuse(context, value, 'int_parsing_size', 'Unable to parse input string as an integer, exceeded maximum size');
    return fromText(text);
  }
  const number = unwrapNumber(value);
  if (typeof number !== 'number') return refuse(context, value, 'int_type', 'Input should be a valid integer');
  if (!Number.isFinite(number)) return refuse(context, value, 'finite_number', 'Input should be a finite number');
  if (!Number.isInteger(number)) return refuse(context, value, 'int_from_float', 'Input should be a valid integer, got a number with a fractional part');
  if (isFloat(value) && Math.abs(number) >= MAXIMUM_FLOAT) return refuse(context, value, 'int_parsing_size', 'Unable to parse input string as an integer, exceeded maximum size');
  return number;
}

/** An integer; numeric text and 5.0 are accepted as pydantic does. */
export const integer = (check: (schema: z.ZodNumber) => z.ZodNumber = (schema) => schema) => z.preprocess(readInteger, check(z.number().meta({ type: 'integer' })));

function readFloat(value: unknown, context: z.core.ParsePayload): unknown {
  if (value === undefined) return value;
  if (typeof value === 'boolean') return Number(value);
  const text = typeof value === 'string' ? value.trim() : undefined;
  const number = text === undefined ? unwrapNumber(value) : NUMBER.test(text) ? fromText(text) : NO_FINITE_NUMBER.test(text) ? Number.NaN : undefined;
  if (text !== undefined && number === undefined) return refuse(context, value, 'float_parsing', 'Input should be a valid number, unable to parse string as a number');
  if (typeof number !== 'number') return refuse(context, value, 'float_type', 'Input should be a valid number');
  return Number.isFinite(number) ? number : refuse(context, value, 'finite_number', 'Input should be a finite number');
}

/** A floating-point number, and a finite one; numeric text is accepted. */
export const float = (check: (schema: z.ZodNumber) => z.ZodNumber = (schema) => schema) => z.preprocess(readFloat, check(z.number()));

const TRUE = new Set<unknown>([1, '1', 'true', 't', 'yes', 'y', 'on']);
const FALSE = new Set<unknown>([0, '0', 'false', 'f', 'no', 'n', 'off']);

function readBoolean(value: unknown, context: z.core.ParsePayload): unknown {
  if (typeof value === 'boolean' || value === undefined) return value;
  const key = typeof value === 'string' ? value.toLowerCase() : unwrapNumber(value);
  if (TRUE.has(key)) return true;
  if (FALSE.has(key)) return false;
  const isReadable = typeof key === 'string' || (Number.isInteger(key) && Math.abs(Number(key)) < MAXIMUM_FLOAT);
  return isReadable
    ? refuse(context, value, 'bool_parsing', 'Input should be a valid boolean, unable to interpret input')
    : refuse(context, value, 'bool_type', 'Input should be a valid boolean');
}

/** A boolean; pydantic's words and digits are accepted. */
export const boolean = () => z.preprocess(readBoolean, z.boolean());
