import { checkTextLength, spendText } from './budget.ts';
import { print, repr } from './printing.ts';
import { formatScientific } from './strings.ts';
import { Dictionary, Markup, Tuple, Undefined, type Value, either, isNumber, raise, typeName } from './values.ts';

/* Python's `%` on texts. */

const SPECIFIER = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([diouxXeEfFgGcrsa%])?/g;

const MAXIMUM_WIDTH = 10_000;

function toFloat(value: Value, conversion: string): number {
  return isNumber(value) ? Number(value) : raise('TypeError', `must be real number, not ${typeName(value)} (%${conversion})`);
}

function toInteger(value: Value, conversion: string): bigint {
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  return isNumber(value) ? BigInt(value) : raise('TypeError', `%${conversion} format: a real number is required, not ${typeName(value)}`);
}

/** The general format: the shorter of fixed and scientific, without trailing zeros. */
function formatGeneral(value: number, precision: number): string {
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toExponential(Math.max(0, precision - 1))))));
  const text = exponent < -4 || exponent >= precision ? formatScientific(value, precision - 1) : value.toFixed(Math.max(0, precision - 1 - exponent));
  return text.includes('.') ? text.replace(/\.?0+(?=e|$)/, '') : text;
}

/** A number by one of Python's conversions: `d`, `x`, `f`, `g`… */
export function formatNumber(value: Value, conversion: string, precision: number | undefined): string {
  const lower = conversion.toLowerCase();
  const base = { o: 8, x: 16 }[lower];
  if ('diu'.includes(lower) || base !== undefined) {
    const digits = toInteger(value, conversion).toString(base ?? 10);
    return conversion === 'X' ? digits.toUpperCase() : digits;
  }
  const number = toFloat(value, conversion);
  if (!Number.isFinite(number)) return Number.isNaN(number) ? 'nan' : number > 0 ? 'inf' : '-inf';
  const places = Math.min(precision ?? 6, 100);
  const text = lower === 'f' ? number.toFixed(places) : lower === 'e' ? formatScientific(number, places) : formatGeneral(number, Math.max(1, places));
  return conversion === lower ? text : text.toUpperCase();
}

function pad(text: string, width: number, flags: string, isNumeric: boolean): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!isNumeric || !flags.includes('0')) return text.padStart(width);
  const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

export function formatPercent(format: string, given: Value): string {
  const values = given instanceof Tuple ? given.items : [given];
  let index = 0;
  const take = (): Value => {
    const value = values[index];
    index += 1;
    return value ?? (index > values.length ? raise('TypeError', 'not enough arguments for format string') : null);
  };
  const formatValue = (key: string | undefined, flags: string, widthText?: string, precisionText?: string, conversion?: string): string => {
    if (conversion === undefined) return raise('ValueError', 'incomplete format');
    if (conversion === '%') return '%';
    const number = (text: string | undefined) => (text === undefined ? undefined : Math.min(Number(text === '*' ? print(take()) : text), MAXIMUM_WIDTH));
    const [width, precision] = [number(widthText), number(precisionText)];
    const value = key === undefined ? take() : given instanceof Dictionary ? either(given.get(key), new Undefined(`'${key}' is undefined`)) : raise('TypeError', 'format requires a mapping');
    const isNumeric = !'crsa'.includes(conversion);
    if (!isNumeric) {
      const shown = conversion === 's' || conversion === 'c' ? print(value) : repr(value);
      spendText(shown.length);
      return pad(precision === undefined ? shown : Array.from(shown).slice(0, precision).join(''), width ?? 0, flags, false);
    }
    if (value instanceof Undefined) return value.fail();
    const digits = formatNumber(value, conversion, precision);
    const signed = digits.startsWith('-') ? digits : flags.includes('+') ? `+${digits}` : flags.includes(' ') ? ` ${digits}` : digits;
    return pad(signed, width ?? 0, flags, true);
  };
  const text = format.replaceAll(SPECIFIER, (_whole, ...[key, flags = '', width, precision, conversion]: (string | undefined)[]) => {
    const formatted = formatValue(key, flags, width, precision, conversion);
    checkTextLength(formatted.length);
    return formatted;
  });
  const isMapped = given instanceof Dictionary || given instanceof Undefined || given instanceof Markup;
  if (index < values.length && !(isMapped && index === 0 && given instanceof Dictionary)) raise('TypeError', 'not all arguments converted during string formatting');
  checkTextLength(text.length);
  return text;
}
