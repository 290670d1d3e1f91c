import { Arguments } from './arguments.ts';
import { Budget, withBudget } from './budget.ts';
import { TemplateError } from './errors.ts';
import { Evaluator } from './evaluator.ts';
import { isTemplate } from './parameters.ts';
import { parseTemplate } from './parser.ts';
import { escapeHtml, print } from './printing.ts';
import { Scope } from './scope.ts';
import type { Expression, Signature, Statement, Target } from './syntax.ts';
import { GLOBALS, Loop } from './things.ts';
import { Callable, Markup, Tuple, Undefined, type Value, fromJson, isText, isTrue, iterate, raise, typeName } from './values.ts';

/* Carries out the statements of a template. */

type Body = readonly Statement[];

class Renderer {
  readonly #evaluator: Evaluator;
  readonly #budget: Budget;

  constructor(budget: Budget, uiUrl: string | undefined, now: number) {
    this.#budget = budget;
    this.#evaluator = new Evaluator(budget, uiUrl, now);
  }

  render(body: Body, scope: Scope): string {
    return this.#budget.nest(() => body.map((statement) => this.#run(statement, scope)).join(''));
  }

  #value(expression: Expression, scope: Scope): Value {
    return this.#evaluator.evaluate(expression, scope);
  }

  #run(statement: Statement, scope: Scope): string {
    this.#budget.spend();
    switch (statement.kind) {
      case 'data':
        return this.#budget.write(statement.text);
      case 'output': {
        const value = this.#value(statement.value, scope);
        return this.#budget.write(this.#evaluator.escapes ? escapeHtml(value) : print(value));
      }
      case 'for':
        return this.#loop(statement, this.#value(statement.iterable, scope), scope, 1);
      case 'if': {
        const chosen = statement.branches.find(([test]) => isTrue(this.#value(test, scope)));
        return this.render(chosen?.[1] ?? statement.otherwise, scope);
      }
      case 'set':
        this.#assign(statement.target, this.#value(statement.value, scope), scope);
        return '';
      case 'set_block': {
        const text = this.render(statement.body, new Scope(scope));
        this.#assign(statement.target, statement.filter === null ? (this.#evaluator.escapes ? new Markup(text) : text) : this.#filterText(statement.filter, text, scope), scope);
        return '';
      }
      case 'with': {
        const inner = new Scope(scope);
        for (const [target, value] of statement.bindings) this.#assign(target, this.#value(value, scope), inner);
        return this.render(statement.body, inner);
      }
      case 'filter_block': {
        const text = this.#filterText(statement.filter, this.render(statement.body, new Scope(scope)), scope);
        return isText(text) ? this.#budget.write(print(text)) : raise('TypeError', `expected str instance, ${typeName(text)} found`);
      }
      case 'macro':
        scope.set(statement.name, this.#macro(statement.name, statement.signature, statement.body, scope));
        return '';
      case 'call_block':
        return this.#callBlock(statement, scope);
      case 'autoescape':
        return this.#withEscaping(isTrue(this.#value(statement.value, scope)), () => this.render(statement.body, new Scope(scope)));
      case 'block':
        return this.render(statement.body, new Scope(scope));
      default:
        return raise('TypeError', 'no loader for this environment specified');
    }
  }

  #withEscaping(escapes: boolean, work: () => string): string {
    const before = this.#evaluator.escapes;
    this.#evaluator.escapes = escapes;
    try {
      return work();
    } finally {
      this.#evaluator.escapes = before;
    }
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === 'name') return scope.set(target.name, value);
    if (target.kind === 'member') return scope.assign(target.object, target.name, value);
    const items = iterate(value);
    if (items.length !== target.items.length) raise('ValueError', `${items.length < target.items.length ? 'not enough' : 'too many'} values to unpack (expected ${target.items.length})`);
    for (const [index, item] of target.items.entries()) this.#assign(item, items[index] ?? null, scope);
  }

  #loop(statement: Extract<Statement, { kind: 'for' }>, iterable: Value, scope: Scope, depth: number): string {
    const { target, test, body, otherwise } = statement;
    const turn = (item: Value): Scope => {
      this.#budget.spend();
      const inner = new Scope(scope);
      this.#assign(target, item, inner);
      return inner;
    };
    const items = iterate(iterable).filter((item) => test === null || isTrue(this.#value(test, turn(item))));
    if (items.length === 0) return this.render(otherwise, new Scope(scope));
    const recurse = statement.isRecursive ? (inner: Value) => this.#budget.nest(() => this.#loop(statement, inner, scope, depth + 1)) : undefined;
    const loop = new Loop(items, depth, recurse);
    return items
      .map((item, index) => {
        loop.advance(index);
        const inner = turn(item);
        inner.set('loop', loop);
        return this.render(body, inner);
      })
      .join('');
  }

  #filterText(filter: Expression, text: string, scope: Scope): Value {
    if (filter.kind !== 'filter') return text;
    const input = filter.input === null ? text : this.#filterText(filter.input, text, scope);
    return this.#evaluator.filter(filter.filter, input, scope);
  }

  #macro(name: string, signature: Signature, body: Body, scope: Scope): Callable {
    const parameters = signature.parameters.map((parameter) => parameter.name);
    return new Callable(name, (given, keywords) => {
      this.#budget.spend(parameters.length);
      const bound = new Arguments(name, parameters, given, keywords, true);
      const inner = new Scope(scope);
      for (const parameter of signature.parameters) {
        const given = bound.find(parameter.name);
        if (given !== undefined) inner.set(parameter.name, given);
        else inner.set(parameter.name, parameter.fallback === null ? new Undefined(`parameter '${parameter.name}' was not provided`) : this.#value(parameter.fallback, inner));
      }
      inner.set('varargs', new Tuple(bound.rest));
      const caller = bound.keywords.get('caller');
      if (caller !== undefined) inner.set('caller', caller);
      inner.set('kwargs', fromJson(Object.fromEntries([...bound.keywords].filter(([keyword]) => keyword !== 'caller'))));
      const text = this.render(body, inner);
      return this.#evaluator.escapes ? new Markup(text) : text;
    });
  }

  #callBlock({ call, signature, body }: Extract<Statement, { kind: 'call_block' }>, scope: Scope): string {
    if (call.kind !== 'call') return '';
    const [given, keywords] = this.#evaluator.readArguments(call.arguments, scope);
    const caller = this.#macro('caller', signature, body, scope);
    return this.#budget.write(print(this.#evaluator.invoke(this.#value(call.callee, scope), given, new Map([...keywords, ['caller', caller]]))));
  }
}

export interface RenderOptions {
  /** Address of the web UI, for links to it; without one there are none. */
  readonly uiUrl?: string | undefined;
}

/**
 * Renders a user's template with JSON values, or with those of prefect-objects.ts, by name. Nothing else can be reached from
 * within, and what it may use up is bounded. Text without any template in it comes back as it is. Throws TemplateError.
 */
export function renderTemplate(template: string, context: Readonly<Record<string, unknown>>, { uiUrl }: RenderOptions = {}): string {
  if (!isTemplate(template)) return template;
  const budget = new Budget();
  try {
    const globals = new Scope();
    for (const [name, value] of GLOBALS) globals.set(name, value);
    for (const [name, value] of Object.entries(context)) globals.set(name, fromJson(value));
    return withBudget(budget, () => new Renderer(budget, uiUrl, Date.now()).render(parseTemplate(template), new Scope(globals)));
  } catch (error) {
    // Bounds on depth and length leave little to go wrong by itself; what still does is the template's fault.
    if (error instanceof RangeError) throw new TemplateError('OverflowError', error.message);
    throw error;
  }
}
