import { checkItems, checkTextLength, spendText } from '../budget.ts';
import { count } from '../methods.ts';
import { escapeHtml, joinTexts, print } from '../printing.ts';
import { Dictionary, Markup, Undefined, type Value, isText, isTrue, iterate, raise, textOf, typeName } from '../values.ts';
import { type FilterContext, type Filters, filter } from './filter.ts';

/* Jinja's filters that make HTML: attributes of an element, and links where a text has addresses. */

/** HTML that is not escaped again where escaping is on; elsewhere text like any other. */
const markup = (html: string, { escapes }: FilterContext): Value => (escapes ? new Markup(html) : html);

function writeAttributes(input: Value, autospace: boolean): string {
  if (!(input instanceof Dictionary)) return raise('AttributeError', `'${typeName(input)}' object has no attribute 'items'`);
  const attributes = input.entries().flatMap(([key, value]) => {
    if (value === null || value instanceof Undefined) return [];
    if (!isText(key)) return raise('TypeError', `expected string or bytes-like object, got '${typeName(key)}'`);
    if (/[\s/>=]/.test(textOf(key))) return raise('ValueError', `Invalid character in attribute name: '${textOf(key)}'`);
    return [`${escapeHtml(key)}="${escapeHtml(value)}"`];
  });
  const text = joinTexts(attributes, ' ');
  return autospace && text !== '' ? ` ${text}` : text;
}

const NAME = '[\\p{L}\\p{N}_%-]';
const PORT_AND_PATH = '(?::\\d{1,5})?(?:[/?#]\\S*)?';
/** What is taken for an address on the web: with a scheme or `www.` any host, without one only those below well-known domains. */
const WEB_ADDRESS = new RegExp(
  `^(?:(?:https?://|www\\.)(?:${NAME}+\\.)*(?:[a-z]{2,63}|xn--[\\p{L}\\p{N}_%]{2,59})|(?:${NAME}{2,63}\\.)+(?:com|net|int|edu|gov|org|info|mil)|https?://\\d{1,3}(?:\\.\\d{1,3}){3}|https?://\\[[\\da-f:]+\\])${PORT_AND_PATH}$`,
  'iu',
);
const MAIL_ADDRESS = /^\S+@[\p{L}\p{N}_][\p{L}\p{N}_.-]*\.[\p{L}\p{N}_]+$/u;
const SCHEME = /^[\w.+-]{2,}:(?:\/{0,2})$/;
const PAIRS = [
  ['(', ')'],
  ['<', '>'],
  ['&lt;', '&gt;'],
] as const;

/** Where the punctuation at the end of a word begins. */
function findTail(word: string): number {
  let end = word.length;
  for (;;) {
    if (word.endsWith('&gt;', end)) end -= '&gt;'.length;
    else if (end > 0 && ')>.,\n'.includes(word.charAt(end - 1))) end -= 1;
    else return end;
  }
}

/** Parts a word from the punctuation around it; brackets that were opened within the word are closed within it. */
function partWord(word: string): [before: string, middle: string, after: string] {
  const before = /^(?:[(<]|&lt;)*/.exec(word)?.[0] ?? '';
  const rest = word.slice(before.length);
  let end = findTail(rest);
  for (const [open, close] of PAIRS) {
    let opened = count(rest.slice(0, end), open) - count(rest.slice(0, end), close);
    for (let at = rest.indexOf(close, end); at >= 0 && opened > 0; at = rest.indexOf(close, end)) {
      end = at + close.length;
      opened -= 1;
    }
  }
  return [before, rest.slice(0, end), rest.slice(end)];
}

interface Links {
  schemes: readonly string[];
  limit: number | undefined;
  attributes: string;
}

/** A word as a link, where it is an address; its HTML is escaped already. */
function linkWord(word: string, { schemes, limit, attributes }: Links): string {
  const shown = limit !== undefined && word.length > limit ? `${word.slice(0, limit)}...` : word;
  if (WEB_ADDRESS.test(word)) return `<a href="${/^https?:\/\//.test(word) ? '' : 'https://'}${word}"${attributes}>${shown}</a>`;
  const address = word.startsWith('mailto:') ? word.slice('mailto:'.length) : word.includes(':') || word.startsWith('www.') ? '' : word;
  if (MAIL_ADDRESS.test(address)) return `<a href="mailto:${address}">${address}</a>`;
  return schemes.some((scheme) => word !== scheme && word.startsWith(scheme)) ? `<a href="${word}"${attributes}>${shown}</a>` : word;
}

function link(html: string, links: Links): string {
  const words = html.split(/(\s+)/);
  checkItems(words.length * (links.schemes.length + 1));
  return joinTexts(
    words.map((word) => {
      const [before, middle, after] = partWord(word);
      const linked = before + linkWord(middle, links) + after;
      checkTextLength(linked.length);
      return linked;
    }),
  );
}

export const MARKUP_FILTERS: Filters = {
  xmlattr: filter(['autospace'], (input, given, context) => markup(writeAttributes(input, isTrue(given.or('autospace', true))), context)),
  urlize: filter(['trim_url_limit', 'nofollow', 'target', 'rel', 'extra_schemes'], (input, given, context) => {
    const relations = new Set(['noopener', ...(given.optionalText('rel') ?? '').split(/\s+/), ...(isTrue(given.or('nofollow', false)) ? ['nofollow'] : [])].filter(Boolean));
    const target = given.optionalText('target');
    const schemes = iterate(given.find('extra_schemes') ?? []).map(print);
    for (const scheme of schemes) {
      spendText(scheme.length);
      if (!SCHEME.test(scheme)) raise('FilterArgumentError', `'${scheme}' is not a valid URI scheme prefix.`);
    }
    const attributes = ` rel="${escapeHtml([...relations].toSorted().join(' '))}"${target === undefined ? '' : ` target="${escapeHtml(target)}"`}`;
    return markup(link(escapeHtml(input), { schemes, limit: given.optionalInteger('trim_url_limit'), attributes }), context);
  }),
};
