import { type Json, isRawJson } from '@praetor/schema/json';

/** A float as Python's `repr` prints it: the shortest digits, with an exponent below 1e-4 and from 1e16 on. */
function printFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [coefficient = '0', power = '0'] = Math.abs(value).toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) return `${sign}${coefficient}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  const digits = coefficient.replace('.', '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')}.${digits.slice(exponent + 1) || '0'}`;
}

/** A number as Python prints what it parsed: integers of any size as they are written. */
function printNumber(source: string): string {
  if (/[.eE]/.test(source)) return printFloat(Number(source));
  return source === '-0' ? '0' : source;
}

function printText(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Python sorts by code points, which is the order of UTF-8 bytes but not of UTF-16 units. */
function compareKeys([one]: [string, unknown], [other]: [string, unknown]): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/**
 * The text that Python's `json.dumps(value, sort_keys=True)` gives, to the byte. Values must come from `parseJson`, which
 * remembers how each number was written.
 */
export function toPythonJson(value: Json | undefined): string {
  if (typeof value === 'string') return printText(value);
  if (typeof value === 'number') return printNumber(String(value));
  if (isRawJson(value)) return printNumber(value.rawJSON);
  if (Array.isArray(value)) return `[${value.map(toPythonJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value ?? null);
  const entries = Object.entries(value).sort(compareKeys);
  return `{${entries.map(([key, entry]) => `${printText(key)}: ${toPythonJson(entry)}`).join(', ')}}`;
}
