import { raise, type Value } from './values.ts';

/** The names that are known at some place of a template, on top of those known around it. */
export class Scope {
  readonly #names = new Map<string, Value>();
  readonly #outer: Scope | undefined;
  constructor(outer?: Scope) {
    this.#outer = outer;
  }
  find(name: string): Value | undefined {
    return this.#names.has(name) ? this.#names.get(name) : this.#outer?.find(name);
  }
  set(name: string, value: Value): void {
    this.#names.set(name, value);
  }
  /** Gives a value to a member of a namespace. */
  assign(object: string, name: string, value: Value): void {
    const found = this.find(object);
    if (typeof found === 'object' && found !== null && 'assign' in found) found.assign(name, value);
    else raise('TemplateRuntimeError', 'cannot assign attribute on non-namespace object');
  }
}
