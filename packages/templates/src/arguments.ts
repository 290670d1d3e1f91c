import { spend } from './budget.ts';
import { type Keywords, Undefined, type Value, either, isNumber, isText, raise, textOf, typeName } from './values.ts';

/** The arguments of a call, by the names of its parameters. Whoever asks for one says what it takes. */
export class Arguments {
  readonly #values: ReadonlyMap<string, Value>;
  /** Positional arguments beyond the named parameters. */
  readonly rest: readonly Value[];
  /** Keyword arguments that are none of the named parameters. */
  readonly keywords: Keywords;

  /** `takesMore`: more than the parameters may come. Throws TemplateError where more comes than is taken, or the same twice. */
  constructor(name: string, parameters: readonly string[], given: readonly Value[], keywords: Keywords, takesMore = false) {
    spend((parameters.length * keywords.size) / 64);
    const values = new Map<string, Value>();
    for (const [index, parameter] of parameters.entries()) {
      const value = given[index];
      if (value !== undefined) values.set(parameter, value);
    }
    this.rest = given.slice(parameters.length);
    const others = new Map<string, Value>();
    for (const [keyword, value] of keywords) {
      if (values.has(keyword)) raise('TypeError', `${name}() got multiple values for argument '${keyword}'`);
      if (parameters.includes(keyword)) values.set(keyword, value);
      else others.set(keyword, value);
    }
    const [unexpected] = others.keys();
    if (!takesMore && unexpected !== undefined) raise('TypeError', `${name}() got an unexpected keyword argument '${unexpected}'`);
    if (!takesMore && this.rest.length > 0) raise('TypeError', `${name}() takes ${parameters.length} arguments but ${given.length} were given`);
    this.#values = values;
    this.keywords = others;
  }

  find(parameter: string): Value | undefined {
    return this.#values.get(parameter);
  }

  /** The argument, or another value where it was left out. */
  or(parameter: string, fallback: Value): Value {
    return either(this.find(parameter), fallback);
  }

  get(parameter: string): Value {
    const value = this.find(parameter);
    return value === undefined ? raise('TypeError', `missing 1 required argument: '${parameter}'`) : value;
  }

  text(parameter: string, fallback?: string): string {
    const value = this.find(parameter) ?? fallback ?? this.get(parameter);
    return isText(value) ? textOf(value) : raise('TypeError', `'${parameter}' must be str, not ${typeName(value)}`);
  }

  /** None counts as left out. */
  optionalText(parameter: string): string | undefined {
    const value = this.find(parameter);
    return value === undefined || value === null ? undefined : this.text(parameter);
  }

  integer(parameter: string, fallback?: number): number {
    const value = this.find(parameter) ?? (fallback === undefined ? this.get(parameter) : BigInt(fallback));
    if (value instanceof Undefined) value.fail();
    return isNumber(value) && typeof value !== 'number' ? Number(value) : raise('TypeError', `'${typeName(value)}' object cannot be interpreted as an integer`);
  }

  optionalInteger(parameter: string): number | undefined {
    const value = this.find(parameter);
    return value === undefined || value === null ? undefined : this.integer(parameter);
  }
}
