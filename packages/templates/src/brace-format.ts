import { checkTextLength } from './budget.ts';
import { formatNumber } from './percent-format.ts';
import { print, repr } from './printing.ts';
import { groupDigits } from './strings.ts';
import { Dictionary, type Keywords, type Value, charactersOf, isNumber, raise } from './values.ts';

/* Python's `str.format`, without looking into objects. */

const FIELD = /\{\{|\}\}|\{([^{}:!]*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]/g;
const SPECIFICATION = /^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/su;

const MAXIMUM_WIDTH = 10_000;

function formatDigits(value: Value, type: string | undefined, precision: number | undefined): string {
  if (type === '%') return `${(Number(value) * 100).toFixed(Math.min(precision ?? 6, 100))}%`;
  if (type !== undefined && type !== 'n') return formatNumber(value, type, precision);
  return precision === undefined ? print(value) : formatNumber(value, 'g', precision);
}

function formatValue(value: Value, specification: string): string {
  const match = SPECIFICATION.exec(specification);
  if (match === null) return raise('ValueError', `Invalid format specifier '${specification}'`);
  const [, fill, align, sign = '-', , zero, widthText, grouping, precisionText, type] = match;
  const width = Math.min(Number(widthText ?? 0), MAXIMUM_WIDTH);
  const precision = precisionText === undefined ? undefined : Number(precisionText);
  const isNumeric = isNumber(value) && typeof value !== 'boolean' && type !== 's';
  let text = isNumeric ? formatDigits(value, type, precision) : charactersOf(print(value)).slice(0, precision).join('');
  if (isNumeric && grouping !== undefined) text = groupDigits(text, grouping);
  if (isNumeric && sign !== '-' && !text.startsWith('-')) text = sign + text;
  const filler = fill ?? (zero === undefined ? ' ' : '0');
  const missing = Math.max(0, width - text.length);
  switch (align ?? (zero === undefined ? (isNumeric ? '>' : '<') : '=')) {
    case '<':
      return text + filler.repeat(missing);
    case '^':
      return filler.repeat(Math.floor(missing / 2)) + text + filler.repeat(Math.ceil(missing / 2));
    case '=': {
      const prefix = /^[-+ ]/.exec(text)?.[0] ?? '';
      return prefix + filler.repeat(missing) + text.slice(prefix.length);
    }
    default:
      return filler.repeat(missing) + text;
  }
}

export function formatBraces(format: string, given: readonly Value[], keywords: Keywords): string {
  let next = 0;
  const find = (field: string): Value => {
    const [, name = '', path = ''] = /^([^.[]*)(.*)$/s.exec(field) ?? [];
    const found = name === '' ? given[next++] : /^\d+$/.test(name) ? given[Number(name)] : keywords.get(name);
    let value = found === undefined ? raise(/^\d*$/.test(name) ? 'IndexError' : 'KeyError', `'${name}'`) : found;
    if (path !== '' && !path.endsWith(']')) return raise('SecurityError', 'a format may not look into objects');
    for (const [, key = ''] of path.matchAll(/\[([^\]]*)\]/g)) {
      const item = value instanceof Dictionary ? value.get(key) : Array.isArray(value) ? value[Number(key)] : undefined;
      value = item === undefined ? raise('KeyError', `'${key}'`) : item;
    }
    return value;
  };
  const text = format.replaceAll(FIELD, (whole, field?: string, conversion?: string, specification = '') => {
    if (whole === '{{' || whole === '}}') return whole.charAt(0);
    if (field === undefined) return raise('ValueError', `Single '${whole}' encountered in format string`);
    const value = find(field);
    const formatted = formatValue(conversion === 'r' || conversion === 'a' ? repr(value) : conversion === 's' ? print(value) : value, specification);
    checkTextLength(formatted.length);
    return formatted;
  });
  checkTextLength(text.length);
  return text;
}
