import { type TemplateError, syntaxError } from './errors.ts';
import { Lexer, type Token, type TokenType } from './lexer.ts';

const DESCRIPTIONS: Partial<Record<TokenType, string>> = {
  data: 'template data / text',
  variable_begin: 'begin of print statement',
  variable_end: 'end of print statement',
  block_begin: 'begin of statement block',
  block_end: 'end of statement block',
  eof: 'end of template',
};

/** The tokens of a template with the one at hand. Reading goes on only as far as it must: the first fault counts. */
export class TokenStream {
  readonly #tokens: Iterator<Token>;
  #current: Token;
  #ahead: Token | undefined;

  constructor(template: string) {
    this.#tokens = new Lexer(template).tokens();
    this.#current = this.#read();
  }

  #read(): Token {
    const { value, done } = this.#tokens.next();
    return done === true ? this.#current : value;
  }

  get current(): Token {
    return this.#current;
  }

  next(): Token {
    const token = this.#current;
    if (token.type !== 'eof') {
      this.#current = this.#ahead ?? this.#read();
      this.#ahead = undefined;
    }
    return token;
  }

  /** The token after the one at hand. */
  look(): Token {
    this.#ahead ??= this.#current.type === 'eof' ? this.#current : this.#read();
    return this.#ahead;
  }

  is(type: TokenType, ...values: readonly string[]): boolean {
    return this.#current.type === type && (values.length === 0 || values.includes(this.#current.value));
  }

  skipIf(type: TokenType, value: string): boolean {
    const matches = this.is(type, value);
    if (matches) this.next();
    return matches;
  }

  expect(type: TokenType, value?: string): Token {
    if (this.is(type, ...(value === undefined ? [] : [value]))) return this.next();
    const wanted = value ?? DESCRIPTIONS[type] ?? type;
    if (this.is('eof')) throw this.fault(`unexpected end of template, expected '${wanted}'.`);
    throw this.fault(`expected token '${wanted}', got '${this.describe()}'`);
  }

  describe({ type, value }: Token = this.#current): string {
    return DESCRIPTIONS[type] ?? (type === 'name' || type === 'operator' ? value : type);
  }

  fault(message: string, line = this.#current.line): TemplateError {
    return syntaxError(message, line);
  }
}
