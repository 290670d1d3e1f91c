import { Arguments } from './arguments.ts';
import { type Budget, spendItems, spendText } from './budget.ts';
import { NUMBER_FILTERS } from './filters/numbers.ts';
import type { FilterContext, Filters } from './filters/filter.ts';
import { SEQUENCE_FILTERS } from './filters/sequences.ts';
import { MARKUP_FILTERS } from './filters/markup.ts';
import { QUANTITY_FILTERS } from './filters/quantities.ts';
import { TEXT_FILTERS } from './filters/texts.ts';
import { HUMANIZE_FILTERS } from './filters/humanize.ts';
import { PREFECT_FILTERS, pageUrl } from './filters/prefect.ts';
import { getAttribute, getItem, slice } from './methods.ts';
import { calculate, concatenate, holds, negate } from './operators.ts';
import { print } from './printing.ts';
import type { Scope } from './scope.ts';
import type { Argument, Call, Expression } from './syntax.ts';
import { TESTS } from './tests.ts';
import { Callable, Dictionary, type Keywords, Thing, Tuple, Undefined, type Value, either, isText, isTrue, iterate, raise, textOf, typeName } from './values.ts';

const FILTERS: Filters = { ...TEXT_FILTERS, ...NUMBER_FILTERS, ...SEQUENCE_FILTERS, ...PREFECT_FILTERS, ...HUMANIZE_FILTERS, ...MARKUP_FILTERS, ...QUANTITY_FILTERS };

const find = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

/** Long values cost more than short ones, whoever takes or makes them. */
function weigh(value: Value): Value {
  if (isText(value)) spendText(textOf(value).length);
  else if (Array.isArray(value)) spendItems(value.length);
  else if (value instanceof Tuple) spendItems(value.items.length);
  else if (value instanceof Dictionary) spendItems(value.size);
  return value;
}

function weighAll(given: readonly Value[], keywords: Keywords): void {
  for (const value of given) weigh(value);
  for (const value of keywords.values()) weigh(value);
}

/** Finds the values of expressions. */
export class Evaluator implements FilterContext {
  readonly uiUrl: string | undefined;
  readonly now: number;
  readonly budget: Budget;
  escapes = false;

  constructor(budget: Budget, uiUrl: string | undefined, now: number) {
    this.budget = budget;
    this.uiUrl = uiUrl;
    this.now = now;
  }

  evaluate(expression: Expression, scope: Scope): Value {
    this.budget.spend();
    const value = (inner: Expression) => this.evaluate(inner, scope);
    switch (expression.kind) {
      case 'constant':
        return expression.value;
      case 'name':
        return either(scope.find(expression.name), new Undefined(`'${expression.name}' is undefined`));
      case 'list':
        return expression.items.map(value);
      case 'tuple':
        return new Tuple(expression.items.map(value));
      case 'dictionary':
        return new Dictionary(expression.entries.map(([key, field]) => [value(key), value(field)] as const));
      case 'attribute': {
        const object = value(expression.object);
        // An event knows its own page.
        if (expression.name === 'url' && object instanceof Thing && object.type === 'received-event') return pageUrl(this.uiUrl, object);
        return getAttribute(object, expression.name);
      }
      case 'item':
        return getItem(value(expression.object), value(expression.key));
      case 'slice':
        return slice(value(expression.object), expression.bounds.map((bound) => bound && value(bound)));
      case 'call':
        return this.#call(value(expression.callee), expression.arguments, scope);
      case 'filter':
        return this.filter(expression.filter, expression.input === null ? '' : value(expression.input), scope);
      case 'test':
        return this.#test(expression.test, value(expression.input), scope) !== expression.negated;
      case 'unary':
        return expression.operator === 'not' ? !isTrue(value(expression.operand)) : negate(expression.operator, value(expression.operand));
      case 'binary':
        return calculate(expression.operator, value(expression.left), value(expression.right));
      case 'logical': {
        const left = value(expression.left);
        return isTrue(left) === (expression.operator === 'or') ? left : value(expression.right);
      }
      case 'compare': {
        let left = value(expression.first);
        return expression.rest.every(([operator, operand]) => {
          const right = value(operand);
          const result = holds(operator, left, right);
          left = right;
          return result;
        });
      }
      case 'concatenation':
        return concatenate(expression.parts.map(value));
      default:
        if (isTrue(value(expression.test))) return value(expression.result);
        return expression.otherwise === null ? new Undefined('the inline if-expression evaluated to false and no else section was defined.') : value(expression.otherwise);
    }
  }

  readArguments(given: readonly Argument[], scope: Scope): [Value[], Keywords] {
    const positional: Value[] = [];
    const keywords = new Map<string, Value>();
    for (const { kind, name = '', value: expression } of given) {
      const value = this.evaluate(expression, scope);
      if (kind === 'positional') positional.push(value);
      else if (kind === 'keyword') keywords.set(name, value);
      else if (kind === 'list') positional.push(...iterate(value));
      else if (value instanceof Dictionary) for (const [key, field] of value.entries()) keywords.set(print(key), field);
      else raise('TypeError', `argument after ** must be a mapping, not ${typeName(value)}`);
    }
    return [positional, keywords];
  }

  #call(callee: Value, given: readonly Argument[], scope: Scope): Value {
    if (callee instanceof Undefined) return callee.fail();
    const [positional, keywords] = this.readArguments(given, scope);
    return this.invoke(callee, positional, keywords);
  }

  invoke(callee: Value, given: readonly Value[], keywords: Keywords): Value {
    weighAll(given, keywords);
    const result = this.budget.nest(() => (callee instanceof Callable ? callee.call(given, keywords) : callee instanceof Thing ? callee.invoke(given, keywords) : undefined));
    return weigh(result === undefined ? raise('TypeError', `'${typeName(callee)}' object is not callable`) : result);
  }

  filter({ name, arguments: given }: Call, input: Value, scope: Scope): Value {
    const [positional, keywords] = this.readArguments(given, scope);
    return this.applyFilter(name, input, positional, keywords);
  }

  applyFilter(name: string, input: Value, given: readonly Value[], keywords: Keywords): Value {
    const filter = find(FILTERS, name) ?? raise('TemplateAssertionError', `No filter named '${name}'.`);
    this.budget.spend();
    weighAll([input, ...given], keywords);
    return weigh(filter.work(input, new Arguments(name, filter.parameters, given, keywords, filter.takesMore), this));
  }

  #test({ name, arguments: given }: Call, input: Value, scope: Scope): boolean {
    const [positional, keywords] = this.readArguments(given, scope);
    return this.applyTest(name, input, positional, keywords);
  }

  applyTest(name: string, input: Value, given: readonly Value[], keywords: Keywords): boolean {
    this.budget.spend();
    if (name === 'filter' || name === 'test') return find<unknown>(name === 'filter' ? FILTERS : TESTS, print(input)) !== undefined;
    const test = find(TESTS, name) ?? raise('TemplateAssertionError', `No test named '${name}'.`);
    weighAll([input, ...given], keywords);
    return test.passes(input, new Arguments(name, test.parameters, given, keywords));
  }
}
