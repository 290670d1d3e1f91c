import { ExpressionParser } from './expression-parser.ts';
import type { Expression, Signature, Statement, Target } from './syntax.ts';
import { TokenStream } from './token-stream.ts';

/* Reads the statements of a template. */

type Body = readonly Statement[];

class Parser extends ExpressionParser {
  /** Tags that may end the statements at hand, innermost last. */
  readonly #ends: (readonly string[])[] = [];
  readonly #openTags: string[] = [];

  parseTemplate(): Body {
    return this.#statements();
  }

  #statements(ends?: readonly string[]): Body {
    if (ends !== undefined) this.#ends.push(ends);
    const body: Statement[] = [];
    for (;;) {
      const { type, value, line } = this.stream.current;
      if (type === 'eof') break;
      this.stream.next();
      if (type === 'data') body.push({ kind: 'data', text: value, line });
      else if (type === 'variable_begin') {
        body.push({ kind: 'output', value: this.parseTuple(), line });
        this.stream.expect('variable_end');
      } else {
        if (ends !== undefined && this.stream.is('name', ...ends)) break;
        body.push(...this.nest(() => this.#statement()));
        this.stream.expect('block_end');
      }
    }
    if (ends !== undefined) this.#ends.pop();
    return body;
  }

  /** The statements up to one of the tags, which is then at hand. */
  #bodyUntil(...ends: readonly string[]): Body {
    this.stream.skipIf('operator', ':');
    this.stream.expect('block_end');
    const body = this.#statements(ends);
    if (this.stream.is('eof')) throw this.stream.fault(`Unexpected end of template.${this.#lookedFor(ends)}`);
    return body;
  }

  #closedBody(end: string): Body {
    const body = this.#bodyUntil(end);
    this.stream.next();
    return body;
  }

  #lookedFor(ends: readonly string[] | undefined): string {
    const looked = ends === undefined ? '' : ` The following tags were looked for: ${ends.map((tag) => `'${tag}'`).join(' or ')}.`;
    const innermost = this.#openTags.at(-1);
    return looked + (innermost === undefined ? '' : ` The innermost block that needs to be closed is '${innermost}'.`);
  }

  #statement(): Body {
    const { type, value: tag, line } = this.stream.current;
    if (type !== 'name') throw this.stream.fault('tag name expected');
    this.#openTags.push(tag);
    const statements = this.#statementOf(tag, line);
    this.#openTags.pop();
    return statements;
  }

  #statementOf(tag: string, line: number): Body {
    const parsers: Readonly<Record<string, () => Body>> = {
      for: () => [this.#for(line)],
      if: () => [this.#if(line)],
      set: () => [this.#set(line)],
      with: () => [this.#with(line)],
      macro: () => [this.#macro(line)],
      call: () => [this.#callBlock(line)],
      filter: () => [this.#filterBlock(line)],
      autoescape: () => [{ kind: 'autoescape', value: this.parseExpression(), body: this.#closedBody('endautoescape'), line }],
      print: () => this.#print(line),
      block: () => [this.#block(line)],
      extends: () => [{ kind: 'other_template', expression: this.parseExpression(), line }],
      include: () => [this.#include(line)],
      import: () => [this.#import(line)],
      from: () => [this.#from(line)],
    };
    const parse = Object.hasOwn(parsers, tag) ? parsers[tag] : undefined;
    if (parse === undefined) {
      this.#openTags.pop();
      throw this.stream.fault(`Encountered unknown tag '${tag}'.${this.#lookedFor(this.#ends.at(-1))}`, line);
    }
    this.stream.next();
    return parse();
  }

  #name(): string {
    const { value, line } = this.stream.expect('name');
    if (['true', 'True', 'false', 'False', 'none', 'None'].includes(value)) throw this.stream.fault(`can't assign to '${value}'`, line);
    return value;
  }

  /** A name, `a.b` where namespaces may be written to, or several of them. */
  #target(withMembers: boolean): Target {
    const { line } = this.stream.current;
    if (withMembers && this.stream.is('name') && this.stream.look().value === '.' && this.stream.look().type === 'operator') {
      const object = this.#name();
      this.stream.next();
      return { kind: 'member', object, name: this.stream.expect('name').value, line };
    }
    const items: Target[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) {
        if (!this.stream.skipIf('operator', ',')) break;
        isTuple = true;
      }
      if (this.stream.is('block_end') || this.stream.is('operator', ')', '=') || this.stream.is('name', 'in')) break;
      items.push(this.#targetItem());
    }
    const [first] = items;
    if (first === undefined && !isTuple) throw this.stream.fault(`Expected an expression, got '${this.stream.describe()}'`);
    return isTuple || first === undefined ? { kind: 'tuple', items, line } : first;
  }

  #targetItem(): Target {
    const { line } = this.stream.current;
    if (this.stream.skipIf('operator', '(')) {
      const inner = this.nest(() => this.#target(false));
      this.stream.expect('operator', ')');
      return inner;
    }
    if (this.stream.is('name')) return { kind: 'name', name: this.#name(), line };
    if (this.stream.is('eof')) throw this.stream.fault(`unexpected '${this.stream.describe()}'`);
    throw this.stream.fault(`can't assign to '${this.stream.describe()}'`);
  }

  #for(line: number): Statement {
    const target = this.#target(false);
    this.stream.expect('name', 'in');
    const iterable = this.parseTuple({ withCondition: false, endNames: ['recursive'] });
    const test = this.stream.skipIf('name', 'if') ? this.parseExpression() : null;
    const isRecursive = this.stream.skipIf('name', 'recursive');
    const body = this.#bodyUntil('endfor', 'else');
    const otherwise = this.stream.next().value === 'endfor' ? [] : this.#closedBody('endfor');
    return { kind: 'for', target, iterable, test, isRecursive, body, otherwise, line };
  }

  #if(line: number): Statement {
    const branches: [Expression, Body][] = [];
    let otherwise: Body = [];
    for (;;) {
      branches.push([this.parseTuple({ withCondition: false }), this.#bodyUntil('elif', 'else', 'endif')]);
      const { value } = this.stream.next();
      if (value === 'elif') continue;
      if (value === 'else') otherwise = this.#closedBody('endif');
      return { kind: 'if', branches, otherwise, line };
    }
  }

  #set(line: number): Statement {
    const target = this.#target(true);
    if (this.stream.skipIf('operator', '=')) return { kind: 'set', target, value: this.parseTuple(), line };
    const filter = this.parseFilters(null);
    return { kind: 'set_block', target, filter, body: this.#closedBody('endset'), line };
  }

  #with(line: number): Statement {
    const bindings: [Target, Expression][] = [];
    while (!this.stream.is('block_end')) {
      if (bindings.length > 0) this.stream.expect('operator', ',');
      const target = this.#targetItem();
      this.stream.expect('operator', '=');
      bindings.push([target, this.parseExpression()]);
    }
    return { kind: 'with', bindings, body: this.#closedBody('endwith'), line };
  }

  #signature(): Signature {
    const parameters: { name: string; fallback: Expression | null }[] = [];
    this.stream.expect('operator', '(');
    while (!this.stream.is('operator', ')')) {
      if (parameters.length > 0) this.stream.expect('operator', ',');
      const name = this.#name();
      const fallback = this.stream.skipIf('operator', '=') ? this.parseExpression() : null;
      if (fallback === null && (parameters.at(-1)?.fallback ?? null) !== null) throw this.stream.fault('non-default argument follows default argument');
      parameters.push({ name, fallback });
    }
    this.stream.expect('operator', ')');
    return { parameters };
  }

  #macro(line: number): Statement {
    return { kind: 'macro', name: this.#name(), signature: this.#signature(), body: this.#closedBody('endmacro'), line };
  }

  #callBlock(line: number): Statement {
    const signature = this.stream.is('operator', '(') ? this.#signature() : { parameters: [] };
    const call = this.parseExpression();
    if (call.kind !== 'call') throw this.stream.fault('expected call', line);
    return { kind: 'call_block', call, signature, body: this.#closedBody('endcall'), line };
  }

  #filterBlock(line: number): Statement {
    const filter = this.parseFilters(null, true);
    if (filter === null) throw this.stream.fault('expected a filter', line);
    return { kind: 'filter_block', filter, body: this.#closedBody('endfilter'), line };
  }

  #print(line: number): Body {
    const outputs: Statement[] = [];
    while (!this.stream.is('block_end')) {
      if (outputs.length > 0) this.stream.expect('operator', ',');
      outputs.push({ kind: 'output', value: this.parseExpression(), line });
    }
    return outputs;
  }

  #block(line: number): Statement {
    const name = this.#name();
    this.stream.skipIf('name', 'scoped');
    const isRequired = this.stream.skipIf('name', 'required');
    if (this.stream.is('operator', '-')) throw this.stream.fault('Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.');
    const body = this.#closedBody('endblock');
    if (isRequired && body.some((statement) => statement.kind !== 'data' || statement.text.trim() !== '')) throw this.stream.fault('Required blocks can only contain comments or whitespace');
    this.stream.skipIf('name', name);
    return { kind: 'block', name, body, line };
  }

  #include(line: number): Statement {
    const expression = this.parseExpression();
    if (this.stream.is('name', 'ignore') && this.stream.look().value === 'missing') {
      this.stream.next();
      this.stream.next();
    }
    this.#importContext();
    return { kind: 'other_template', expression, line };
  }

  /** `with context` or `without context`. */
  #importContext(): boolean {
    if (!this.stream.is('name', 'with', 'without') || this.stream.look().value !== 'context') return false;
    this.stream.next();
    this.stream.next();
    return true;
  }

  #import(line: number): Statement {
    const expression = this.parseExpression();
    this.stream.expect('name', 'as');
    this.#name();
    this.#importContext();
    return { kind: 'other_template', expression, line };
  }

  #from(line: number): Statement {
    const expression = this.parseExpression();
    this.stream.expect('name', 'import');
    for (let count = 0; ; count += 1) {
      if (count > 0 && !this.stream.skipIf('operator', ',')) break;
      if (this.#importContext()) break;
      if (!this.stream.is('name')) {
        if (count === 0) this.stream.expect('name');
        break;
      }
      const { value, line: nameLine } = this.stream.next();
      if (value.startsWith('_')) throw this.stream.fault('names starting with an underline can not be imported', nameLine);
      if (this.stream.skipIf('name', 'as')) this.#name();
      this.#importContext();
    }
    return { kind: 'other_template', expression, line };
  }
}

/** Reads a template. Throws TemplateError where it is faulty. */
export function parseTemplate(template: string): Body {
  return new Parser(new TokenStream(template)).parseTemplate();
}
