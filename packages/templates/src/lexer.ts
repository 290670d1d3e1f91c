import { syntaxError } from './errors.ts';
import { unescapeString } from './strings.ts';

/* Cuts a template into tokens by Jinja's rules with its default delimiters. */

export type TokenType = 'data' | 'variable_begin' | 'variable_end' | 'block_begin' | 'block_end' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'eof';

export interface Token {
  readonly type: TokenType;
  readonly value: string;
  readonly line: number;
}

const OPENING = /([\s\S]*?)(\{\{|\{%|\{#)([-+]?)/y;
const RAW_BEGIN = /\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})/y;
const RAW_END = /([\s\S]*?)\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\})/y;
const COMMENT_END = /[\s\S]*?(?:\+#\}|-#\}\s*|#\})/y;
const VARIABLE_END = /-\}\}\s*|\}\}/y;
const BLOCK_END = /\+%\}|-%\}\s*|%\}/y;
const WHITESPACE = /\s+/y;
const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const NAME = /[\p{L}\p{N}_]+/uy;
const IDENTIFIER = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;
const STRING = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y;

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };

/** Yields the tokens of a template, and an `eof` that stands where the last token does. Throws TemplateError where one cannot be read. */
export class Lexer {
  readonly #source: string;
  #position = 0;
  #line = 1;

  constructor(template: string) {
    // One newline at the end does not count.
    this.#source = template.replaceAll(/\r\n|\r/g, '\n').replace(/\n$/, '');
  }

  *tokens(): Generator<Token> {
    let line = 1;
    for (const token of this.#root()) {
      line = token.line;
      yield token;
    }
    yield { type: 'eof', value: '', line };
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#position;
    return pattern.exec(this.#source) ?? undefined;
  }

  /** Steps over matched text and tells the line on which it began. */
  #skip(text: string): number {
    const line = this.#line;
    this.#position += text.length;
    for (const character of text) if (character === '\n') this.#line += 1;
    return line;
  }

  *#root(): Generator<Token> {
    while (this.#position < this.#source.length) {
      const opening = this.#match(OPENING);
      const [whole, data = '', delimiter = '', sign = ''] = opening ?? [this.#source.slice(this.#position), this.#source.slice(this.#position)];
      const text = sign === '-' ? data.trimEnd() : data;
      if (text !== '') yield { type: 'data', value: text, line: this.#line };
      this.#skip(data);
      if (delimiter === '') return;
      const raw = this.#match(RAW_BEGIN);
      if (raw !== undefined) {
        this.#skip(raw[0]);
        yield* this.#raw();
        continue;
      }
      const line = this.#skip(whole.slice(data.length));
      if (delimiter === '{#') this.#comment();
      else {
        yield { type: delimiter === '{{' ? 'variable_begin' : 'block_begin', value: delimiter, line };
        yield* delimiter === '{{' ? this.#expression('variable_end', VARIABLE_END) : this.#expression('block_end', BLOCK_END);
      }
    }
  }

  *#raw(): Generator<Token> {
    if (this.#position === this.#source.length) return;
    const end = this.#match(RAW_END);
    if (end === undefined) throw syntaxError('Missing end of raw directive', this.#line);
    const [whole, data = '', sign] = end;
    const text = sign === '-' ? data.trimEnd() : data;
    if (text !== '') yield { type: 'data', value: text, line: this.#line };
    this.#skip(whole);
  }

  #comment(): void {
    if (this.#position === this.#source.length) return;
    const end = this.#match(COMMENT_END);
    if (end === undefined) throw syntaxError('Missing end of comment tag', this.#line);
    this.#skip(end[0]);
  }

  *#expression(endType: TokenType, endPattern: RegExp): Generator<Token> {
    const brackets: string[] = [];
    while (this.#position < this.#source.length) {
      // A delimiter inside of brackets does not end the expression: `{{ {1: {2: 3}} }}`.
      const end = brackets.length === 0 ? this.#match(endPattern) : undefined;
      if (end !== undefined) {
        yield { type: endType, value: end[0], line: this.#skip(end[0]) };
        return;
      }
      const space = this.#match(WHITESPACE);
      if (space === undefined) yield this.#token(brackets);
      else this.#skip(space[0]);
    }
  }

  #token(brackets: string[]): Token {
    const take = (type: TokenType, text: string, value = text): Token => ({ type, value, line: this.#skip(text) });
    const float = this.#match(FLOAT);
    if (float) return take('float', float[0], float[0].replaceAll('_', ''));
    const integer = this.#match(INTEGER);
    if (integer) return take('integer', integer[0], integer[0].replaceAll('_', ''));
    const name = this.#match(NAME);
    if (name) {
      if (!IDENTIFIER.test(name[0])) throw syntaxError('Invalid character in identifier', this.#line);
      return take('name', name[0]);
    }
    const string = this.#match(STRING);
    if (string) return take('string', string[0], unescapeString(string[0].slice(1, -1), this.#line));
    const operator = this.#match(OPERATOR)?.[0];
    if (operator === undefined) throw syntaxError(`unexpected char '${String.fromCodePoint(this.#source.codePointAt(this.#position) ?? 0)}' at ${this.#position}`, this.#line);
    const closing = CLOSING[operator];
    if (closing !== undefined) brackets.push(closing);
    else if (Object.values(CLOSING).includes(operator)) {
      const expected = brackets.pop();
      if (expected !== operator) throw syntaxError(`unexpected '${operator}'${expected === undefined ? '' : `, expected '${expected}'`}`, this.#line);
    }
    return take('operator', operator);
  }
}
