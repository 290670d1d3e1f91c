import { syntaxError } from './errors.ts';

/* Python's texts: how they are written in source, and how they show themselves in a list. */

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v', '\\': '\\', "'": "'", '"': '"', '\n': '' };

const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** The text that the inside of a string literal stands for. Throws TemplateError for an escape that is cut short. */
export function unescapeString(text: string, line: number): string {
  return text.replaceAll(/\\(?:([0-7]{1,3})|([xuU])([0-9a-fA-F]{0,8})|([\s\S]))/g, (whole, octal?: string, kind?: string, digits = '', other?: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (kind === undefined) return ESCAPES[other ?? ''] ?? whole;
    const length = HEX_LENGTH[kind] ?? 0;
    if (digits.length < length) throw syntaxError(`truncated \\${kind}${'X'.repeat(length)} escape`, line);
    const code = Number.parseInt(digits.slice(0, length), 16);
    if (code > 0x10ffff) throw syntaxError('illegal Unicode character', line);
    return String.fromCodePoint(code) + digits.slice(length);
  });
}

/** As Python's `repr`: single quotes unless only those occur inside. */
export function quoteString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replaceAll(/[\\'"\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (character) => {
    if (character === '\\' || character === quote) return `\\${character}`;
    if (character === "'" || character === '"') return character;
    const named = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    if (named !== undefined) return named;
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code < 0x100 ? `\\x${hex.padStart(2, '0')}` : code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
  return quote + body + quote;
}

/** The first number of a text with its digits in groups of three, counted from its end. */
export function groupDigits(text: string, separator: string): string {
  return text.replace(/\d+/, (digits) => {
    const first = digits.length % 3 || 3;
    const groups = [digits.slice(0, first)];
    for (let start = first; start < digits.length; start += 3) groups.push(digits.slice(start, start + 3));
    return groups.join(separator);
  });
}

/** A number with an exponent of two digits at least; without a precision with as many digits as it takes. */
export function formatScientific(value: number, precision?: number): string {
  const [digits, exponent = '+0'] = value.toExponential(precision).split('e');
  return `${digits}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`;
}

/** As Python's `repr` of a float: `1.0`, `1e+16`, `1e-05`. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude >= 1e16 || magnitude < 1e-4)) {
    return formatScientific(value);
  }
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
