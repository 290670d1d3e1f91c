/*
 * Where and why a text is no JSON, in the words and positions of Python's parser, which clients of the API know. Texts
 * come here only after JSON.parse has refused them. Positions count characters, not UTF-16 units.
 */

export interface JsonError {
  message: string;
  position: number;
}

class Refusal extends Error {
  readonly position: number;
  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

const WHITESPACE = /[ \t\n\r]*/y;
const LITERAL = /null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const PLAIN_TEXT = /[^"\\\x00-\x1f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Reads over a text without building its value. Depth is bounded by readBody. */
class Scanner {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }

  #skip(pattern: RegExp, from: number): number {
    pattern.lastIndex = from;
    return from + (pattern.exec(this.#text)?.[0].length ?? 0);
  }

  scan(): void {
    const end = this.#skip(WHITESPACE, this.#scanValue(this.#skip(WHITESPACE, 0)));
    if (end < this.#text.length) throw new Refusal('Extra data', end);
  }

  #scanValue(at: number): number {
    const first = this.#text[at];
    if (first === '"') return this.#scanText(at);
    if (first === '{') return this.#scanMembers(at, '}', (position) => this.#scanProperty(position));
    if (first === '[') return this.#scanMembers(at, ']', (position) => this.#scanValue(position));
    const end = this.#skip(LITERAL, at);
    if (end === at) throw new Refusal('Expecting value', at);
    return end;
  }

  #scanMembers(at: number, closing: string, scanMember: (position: number) => number): number {
    let position = this.#skip(WHITESPACE, at + 1);
    if (this.#text[position] === closing) return position + 1;
    for (;;) {
      position = this.#skip(WHITESPACE, scanMember(position));
      if (this.#text[position] === closing) return position + 1;
      if (this.#text[position] !== ',') throw new Refusal("Expecting ',' delimiter", position);
      position = this.#skip(WHITESPACE, position + 1);
    }
  }

  #scanProperty(at: number): number {
    if (this.#text[at] !== '"') throw new Refusal('Expecting property name enclosed in double quotes', at);
    const colon = this.#skip(WHITESPACE, this.#scanText(at));
    if (this.#text[colon] !== ':') throw new Refusal("Expecting ':' delimiter", colon);
    return this.#scanValue(this.#skip(WHITESPACE, colon + 1));
  }

  #scanText(at: number): number {
    let position = at + 1;
    for (;;) {
      position = this.#skip(PLAIN_TEXT, position);
      const next = this.#text[position];
      if (next === '"') return position + 1;
      if (next === undefined) throw new Refusal('Unterminated string starting at', at);
      if (next !== '\\') throw new Refusal('Invalid control character at', position);
      const end = this.#skip(ESCAPE, position);
      if (end === position) throw this.#refuseEscape(at, position);
      position = end;
    }
  }

  #refuseEscape(start: number, position: number): Refusal {
    const letter = this.#text[position + 1];
    if (letter === undefined) return new Refusal('Unterminated string starting at', start);
    return letter === 'u' ? new Refusal('Invalid \\uXXXX escape', position + 1) : new Refusal('Invalid \\escape', position);
  }
}

/** What Python's parser would say about a text that is no JSON. */
export function explainJsonError(text: string): JsonError {
  try {
    new Scanner(text).scan();
  } catch (error) {
    if (error instanceof Refusal) return { message: error.message, position: Array.from(text.slice(0, error.position)).length };
    throw error;
  }
  return { message: 'Expecting value', position: 0 };
}
