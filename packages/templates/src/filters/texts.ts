import type { Arguments } from '../arguments.ts';
import { checkTextLength } from '../budget.ts';
import { capitalize, center, findMethod, strip } from '../methods.ts';
import { formatPercent } from '../percent-format.ts';
import { escapeHtml, joinTexts, print, printJson, softText } from '../printing.ts';
import { Dictionary, Markup, Thing, Tuple, Undefined, type Value, charactersOf, isNumber, isText, isTrue, iterate, raise, typeName } from '../values.ts';
import { type Filter, type Filters, filter, openFilter } from './filter.ts';
import { requireFloat } from './numbers.ts';

/* Jinja's filters that make text. Their input is printed first, whatever it is. */

/** Escaped text stays escaped. */
const textFilter = (parameters: readonly string[], work: (text: string, given: Arguments) => string): Filter =>
  filter(parameters, (input, given) => (input instanceof Markup ? new Markup(work(input.text, given)) : work(softText(input), given)));

/** The same for filters that print nothing first. */
const lineFilter = (parameters: readonly string[], work: (text: string, given: Arguments) => string): Filter => {
  const { work: run } = textFilter(parameters, work);
  return filter(parameters, (input, given, context) => {
    if (input instanceof Undefined) return input.fail();
    const isLike = isText(input) || (input instanceof Thing && input.text() !== undefined);
    return isLike ? run(input, given, context) : raise('AttributeError', `'${typeName(input)}' object has no attribute 'splitlines'`);
  });
};

const escape = filter([], (input) => new Markup(escapeHtml(input)));

function title(text: string): string {
  return text
    .split(/([-\s({[<]+)/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join('');
}

function truncate(text: string, given: Arguments): string {
  const [length, end, leeway] = [given.integer('length', 255), given.text('end', '...'), given.integer('leeway', 5)];
  const characters = charactersOf(text);
  if (characters.length <= length + leeway) return text;
  const kept = characters.slice(0, Math.max(0, length - end.length)).join('');
  if (isTrue(given.or('killwords', false))) return kept + end;
  const space = kept.lastIndexOf(' ');
  return (space < 0 ? kept : kept.slice(0, space)) + end;
}

function indent(text: string, given: Arguments): string {
  const width = given.or('width', 4n);
  const margin = isText(width) ? print(width) : ' '.repeat(checkTextLength(given.integer('width', 4)));
  const [first, blank] = [isTrue(given.or('first', false)), isTrue(given.or('blank', false))];
  const lines = text.split('\n');
  checkTextLength(text.length + lines.length * margin.length);
  return lines.map((line, index) => ((index === 0 ? first : blank || line.trim() !== '') ? margin + line : line)).join('\n');
}

/** Breaks one line where words end; words that are longer than a line only where `breaksWords`. */
function wrapLine(line: string, width: number, breaksWords: boolean, breaksHyphens: boolean): string[] {
  const chunks = line.split(breaksHyphens ? /(\s+)|(?<=[^\s-]-)(?=\w)/ : /(\s+)/).filter((chunk): chunk is string => chunk !== undefined && chunk !== '');
  const lines: string[] = [];
  let current = '';
  for (let chunk of chunks) {
    const isSpace = /^\s/.test(chunk);
    if (current !== '' && current.length + (isSpace ? 0 : chunk.length) > width) {
      lines.push(current.trimEnd());
      current = '';
      if (isSpace) continue;
    }
    if (breaksWords && !isSpace)
      while (current.length + chunk.length > width) {
        lines.push((current + chunk).slice(0, width));
        chunk = (current + chunk).slice(width);
        current = '';
      }
    current += chunk;
  }
  return current.trimEnd() === '' && lines.length > 0 ? lines : [...lines, current.trimEnd()];
}

function wordwrap(text: string, given: Arguments): string {
  const width = Math.max(1, given.integer('width', 79));
  const glue = given.optionalText('wrapstring') ?? '\n';
  const [breaksWords, breaksHyphens] = [isTrue(given.or('break_long_words', true)), isTrue(given.or('break_on_hyphens', true))];
  const lines = text.split('\n').map((line) => joinTexts(wrapLine(line, width, breaksWords, breaksHyphens), glue));
  return joinTexts(lines, glue);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** Without tags and comments; all after one that is never closed stays. */
function cutTags(text: string): string {
  const kept: string[] = [];
  for (let start = 0; ; ) {
    const open = text.indexOf('<', start);
    const [from, close] = text.startsWith('<!--', open) ? [open + '<!--'.length, '-->'] : [open, '>'];
    const end = open < 0 ? -1 : text.indexOf(close, from);
    if (end < 0) return kept.join('') + text.slice(start);
    kept.push(text.slice(start, open));
    start = end + close.length;
  }
}

function stripTags(text: string): string {
  const bare = cutTags(text).replaceAll(/\s+/g, ' ').trim();
  return bare.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name = '') => {
    if (decimal !== undefined || hex !== undefined) return String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(decimal ?? hex ?? '', decimal === undefined ? 16 : 10)));
    return ENTITIES[name] ?? whole;
  });
}

const SIZES = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];

function fileSize(bytes: number, isBinary: boolean): string {
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const power = Math.min(SIZES.length, Math.max(1, Math.floor(Math.log(bytes) / Math.log(base))));
  const prefix = SIZES[power - 1] ?? '';
  return `${(bytes / base ** power).toFixed(1)} ${isBinary ? `${prefix.toUpperCase()}iB` : `${prefix}B`}`;
}

/** Percent-encodes a text; within one, slashes stay. */
function quoteUrl(text: string, safe = '/'): string {
  const quoted = encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', safe === '/' ? '/' : '%2F');
  checkTextLength(quoted.length);
  return quoted;
}

function encodeUrl(input: Value): string {
  if (isText(input) || !(input instanceof Dictionary || Array.isArray(input) || input instanceof Tuple)) return quoteUrl(print(input));
  const pairs = input instanceof Dictionary ? input.entries() : iterate(input).map((pair) => iterate(pair));
  const quote = (value: Value | undefined) => quoteUrl(print(value ?? null), '').replaceAll('%20', '+');
  return joinTexts(pairs.map(([key, value]) => `${quote(key)}=${quote(value)}`), '&');
}

export const TEXT_FILTERS: Filters = {
  upper: textFilter([], (text) => text.toUpperCase()),
  lower: textFilter([], (text) => text.toLowerCase()),
  capitalize: textFilter([], capitalize),
  title: textFilter([], title),
  trim: textFilter(['chars'], (text, given) => strip(text, given.optionalText('chars'))),
  center: textFilter(['width'], (text, given) => center(text, given.integer('width', 80))),
  truncate: filter(['length', 'killwords', 'end', 'leeway'], (input, given) => {
    if (input instanceof Undefined) return input.fail();
    if (input === null || isNumber(input)) return raise('TypeError', `object of type '${typeName(input)}' has no len()`);
    return input instanceof Markup ? new Markup(truncate(input.text, given)) : truncate(softText(input), given);
  }),
  indent: lineFilter(['width', 'first', 'blank'], indent),
  wordwrap: lineFilter(['width', 'break_long_words', 'wrapstring', 'break_on_hyphens'], wordwrap),
  replace: filter(['old', 'new', 'count'], (input, given) => {
    const replaced = findMethod(softText(input), 'replace')?.call([print(given.get('old')), print(given.get('new')), given.or('count', -1n)], new Map()) ?? '';
    return input instanceof Markup ? new Markup(print(replaced)) : replaced;
  }),
  format: openFilter([], (input, given) => {
    if (given.rest.length > 0 && given.keywords.size > 0) raise('FilterArgumentError', "can't handle positional and keyword arguments at the same time");
    const values = given.keywords.size > 0 ? new Dictionary(given.keywords) : new Tuple(given.rest);
    const formatted = formatPercent(print(input), values);
    return input instanceof Markup ? new Markup(formatted) : formatted;
  }),
  string: filter([], (input) => (isText(input) || (input instanceof Thing && input.text() !== undefined) ? input : print(input))),
  e: escape,
  escape,
  forceescape: filter([], (input) => new Markup(escapeHtml(print(input)))),
  safe: filter([], (input) => new Markup(print(input))),
  striptags: filter([], (input) => stripTags(print(input))),
  tojson: filter(['indent'], (input, given) => new Markup(printJson(input, given.optionalInteger('indent')))),
  pprint: filter([], (input) => printJson(input, undefined)),
  urlencode: filter([], encodeUrl),
  wordcount: filter([], (input) => BigInt(print(input).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
  filesizeformat: filter(['binary'], (input, given) => fileSize(requireFloat(input), isTrue(given.or('binary', false)))),
  flow_run_id: filter([], (input) => /flow-run\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/.exec(isTrue(input) ? print(input) : '')?.[1] ?? null),
};
