/**
 * A parsed text query (facts/events.md §6): some included term must occur, every required one, and no excluded one;
 * all lower case, compared as substrings.
 */
export interface TextSearch {
  include: string[];
  require: string[];
  exclude: string[];
}

/** A sign, and a word or a quoted phrase (the closing quote may be missing; a backslash keeps the next character). */
const TERM = /([-!+]?)(?:"((?:\\.|[^"\\])*)(?:"|$)|([^\s"]+))/gs;
const LIST_OF_SIGN: Record<string, keyof TextSearch> = { '-': 'exclude', '!': 'exclude', '+': 'require' };

/** Reads `word -excluded +required "quoted phrase"`. A sign that stands alone means nothing. */
export function parseTextSearch(query: string): TextSearch {
  const search: TextSearch = { include: [], require: [], exclude: [] };
  for (const [, sign = '', phrase, word] of query.matchAll(TERM)) {
    const term = phrase === undefined ? (word ?? '') : phrase.replaceAll(/\\(["\\])/g, '$1');
    if (term.trim() === '' || (sign === '' && /^[-!+]$/.test(term))) continue;
    search[LIST_OF_SIGN[sign] ?? 'include'].push(term.toLowerCase());
  }
  return search;
}

/** Whether a text answers the query. */
export function matchesText(search: TextSearch, text: string): boolean {
  const lower = text.toLowerCase();
  const occurs = (term: string) => lower.includes(term);
  return (search.include.length === 0 || search.include.some(occurs)) && search.require.every(occurs) && !search.exclude.some(occurs);
}
