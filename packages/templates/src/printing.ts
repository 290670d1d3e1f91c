import { checkTextLength, spendItems, spendText } from './budget.ts';
import { formatFloat, quoteString } from './strings.ts';
import { Callable, Dictionary, Markup, Thing, Tuple, Undefined, type Value, raise, typeName } from './values.ts';

/* Values as text: as Python's `str`, as its `repr` (inside of lists), and as JSON. */

/** Deeper values are refused before they exhaust the stack. */
const MAXIMUM_DEPTH = 100;

/** Text that is part of what is printed. */
function charged(text: string): string {
  spendText(text.length);
  return text;
}

function repr(value: Value, depth = 0): string {
  spendItems(1);
  if (depth > MAXIMUM_DEPTH) return raise('RecursionError', 'maximum recursion depth exceeded');
  const inner = (item: Value) => repr(item, depth + 1);
  if (value === null) return 'None';
  if (Array.isArray(value)) return `[${value.map(inner).join(', ')}]`;
  if (value instanceof Tuple) return `(${value.items.map(inner).join(', ')}${value.items.length === 1 ? ',' : ''})`;
  if (value instanceof Dictionary) return `{${value.entries().map(([key, field]) => `${inner(key)}: ${inner(field)}`).join(', ')}}`;
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Markup) return `Markup(${charged(quoteString(value.text))})`;
  if (value instanceof Callable) return `<function ${value.name}>`;
  if (value instanceof Thing) return charged(value.print());
  switch (typeof value) {
    case 'string':
      return charged(quoteString(value));
    case 'boolean':
      return value ? 'True' : 'False';
    case 'number':
      return formatFloat(value);
    default:
      return charged(String(value));
  }
}

/** A value as it is printed. */
export function print(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  return value instanceof Undefined ? '' : repr(value);
}

export { repr };

/** The text that a filter of texts works on. */
export function softText(value: Value): string {
  return (value instanceof Thing ? value.text() : undefined) ?? print(value);
}

/** Texts with another between them, unless they become too long. */
export function joinTexts(texts: readonly string[], glue = ''): string {
  checkTextLength(texts.reduce((sum, text) => sum + text.length + glue.length, 0));
  return texts.join(glue);
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' };

/** Escaped for HTML, unless it is already. */
export function escapeHtml(value: Value): string {
  return value instanceof Markup ? value.text : charged(print(value).replaceAll(/[&<>'"]/g, (character) => HTML[character] ?? character));
}

const quoteJson = (text: string): string =>
  charged(JSON.stringify(text).replaceAll(/[\u007f-\uffff<>&']/g, (character) => (character === '\u007f' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)));

const jsonKey = (key: Value): string => {
  if (typeof key === 'string') return key;
  if (key instanceof Markup) return key.text;
  if (key === null || typeof key === 'boolean') return String(key);
  if (typeof key === 'bigint' || typeof key === 'number') return repr(key);
  return key instanceof Thing ? key.print() : raise('TypeError', `keys must be str, int, float, bool or None, not ${typeName(key)}`);
};

/** JSON as Python writes it, with sorted keys, and without any character that HTML would take for its own. */
export function printJson(value: Value, indent: number | undefined, depth = 0): string {
  spendItems(1);
  if (depth > MAXIMUM_DEPTH) return raise('RecursionError', 'maximum recursion depth exceeded');
  const list = (open: string, items: readonly string[], close: string): string => {
    if (items.length === 0) return open + close;
    if (indent === undefined) return open + items.join(', ') + close;
    checkTextLength(indent * (depth + 1) * items.length);
    const margin = `\n${' '.repeat(indent * (depth + 1))}`;
    return `${open}${margin}${items.join(`,${margin}`)}\n${' '.repeat(indent * depth)}${close}`;
  };
  const inner = (item: Value) => printJson(item, indent, depth + 1);
  if (value === null) return 'null';
  if (Array.isArray(value)) return list('[', value.map(inner), ']');
  if (value instanceof Tuple) return list('[', value.items.map(inner), ']');
  if (value instanceof Dictionary) {
    const fields = value.entries().map(([key, field]) => [jsonKey(key), field] as const);
    const sorted = fields.toSorted(([one], [other]) => (one < other ? -1 : Number(one > other)));
    return list('{', sorted.map(([key, field]) => `${quoteJson(key)}: ${inner(field)}`), '}');
  }
  if (value instanceof Markup) return quoteJson(value.text);
  if (value instanceof Thing) return printJson(value.toPlain(), indent, depth);
  switch (typeof value) {
    case 'string':
      return quoteJson(value);
    case 'boolean':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? formatFloat(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
    case 'bigint':
      return charged(String(value));
    default:
      return raise('TypeError', `Object of type ${typeName(value)} is not JSON serializable`);
  }
}
