import { Arguments } from './arguments.ts';
import { checkItems } from './budget.ts';
import { MAXIMUM_RANGE } from './limits.ts';
import { Callable, Dictionary, type Keywords, Markup, Thing, type Value, areEqual, isTrue, raise } from './values.ts';

/* What Jinja itself brings along: the `loop` of a loop, namespaces, ranges and the like. */

/** Holds what a template wants to keep beyond a loop: `{% set ns.found = true %}`. */
class Namespace extends Thing {
  readonly type = 'namespace';
  readonly #members: Map<string, Value>;
  constructor(members: Keywords) {
    super();
    this.#members = new Map(members);
  }
  override attribute(name: string): Value | undefined {
    return this.#members.get(name);
  }
  override assign(name: string, value: Value): void {
    this.#members.set(name, value);
  }
  print(): string {
    return '<Namespace>';
  }
}

class Range extends Thing {
  readonly type = 'range';
  readonly #bounds: readonly bigint[];
  readonly #items: readonly Value[];
  constructor(bounds: readonly bigint[], items: readonly Value[]) {
    super();
    this.#bounds = bounds;
    this.#items = items;
  }
  override iterate(): readonly Value[] {
    return this.#items;
  }
  override item(key: Value): Value | undefined {
    return typeof key === 'bigint' ? this.#items.at(Number(key)) : undefined;
  }
  print(): string {
    const [start = 0n, stop = 0n, step = 1n] = this.#bounds;
    return `range(${start}, ${stop}${step === 1n ? '' : `, ${step}`})`;
  }
}

function makeRange(given: readonly Value[]): Range {
  const bounds = given.map((value) => (typeof value === 'bigint' ? value : raise('TypeError', 'range() takes integers')));
  const [first, second, step = 1n] = bounds;
  if (first === undefined || bounds.length > 3) return raise('TypeError', 'range expected 1 to 3 arguments');
  if (step === 0n) return raise('ValueError', 'range() arg 3 must not be zero');
  const [start, stop] = second === undefined ? [0n, first] : [first, second];
  const span = step > 0n ? stop - start : start - stop;
  const size = step > 0n ? step : -step;
  const length = span <= 0n ? 0n : (span + size - 1n) / size;
  if (length > MAXIMUM_RANGE) return raise('OverflowError', `Range too big. A range holds ${MAXIMUM_RANGE} numbers at most.`);
  return new Range([start, stop, step], Array.from({ length: Number(length) }, (_, index) => start + BigInt(index) * step));
}

/** Gives one value after the other, again and again. */
class Cycler extends Thing {
  readonly type = 'Cycler';
  readonly #items: readonly Value[];
  #position = 0;
  constructor(items: readonly Value[]) {
    super();
    this.#items = items;
  }
  override attribute(name: string): Value | undefined {
    const current = () => this.#items[this.#position % this.#items.length] ?? null;
    switch (name) {
      case 'current':
        return current();
      case 'next':
        return new Callable('next', () => {
          const value = current();
          this.#position += 1;
          return value;
        });
      case 'reset':
        return new Callable('reset', () => {
          this.#position = 0;
          return null;
        });
      default:
        return undefined;
    }
  }
  print(): string {
    return '<Cycler>';
  }
}

function makeJoiner(given: readonly Value[], keywords: Keywords): Callable {
  const separator = new Arguments('joiner', ['sep'], given, keywords).find('sep') ?? ', ';
  let isFirst = true;
  return new Callable('joiner', () => {
    const value = isFirst ? '' : separator;
    isFirst = false;
    return value;
  });
}

const LIPSUM_WORDS = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua'.split(' ');

/** Paragraphs of words that mean nothing: `n` of them, each with at least `min` and less than `max` words. */
function makeLipsum(given: readonly Value[], keywords: Keywords): Value {
  const options = new Arguments('generate_lorem_ipsum', ['n', 'html', 'min', 'max'], given, keywords);
  const [count, least, limit] = [options.integer('n', 5), options.integer('min', 20), options.integer('max', 100)];
  checkItems(Math.max(0, count) * Math.max(1, limit));
  if (count > 0 && limit <= least) raise('ValueError', `empty range for randrange() (${least}, ${limit})`);
  const isHtml = isTrue(options.or('html', true));
  const paragraphs = Array.from({ length: Math.max(0, count) }, () => {
    const length = least + Math.floor(Math.random() * (limit - least));
    const words = Array.from({ length }, () => LIPSUM_WORDS[Math.floor(Math.random() * LIPSUM_WORDS.length)]).join(' ');
    const text = `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
    return isHtml ? `<p>${text}</p>` : text;
  });
  return isHtml ? new Markup(paragraphs.join('\n')) : paragraphs.join('\n\n');
}

/** The functions that every template knows. */
export const GLOBALS: ReadonlyMap<string, Value> = new Map<string, Value>(
  [
    new Callable('range', makeRange),
    new Callable('dict', (given, keywords) => new Dictionary([...given.flatMap((value) => (value instanceof Dictionary ? value.entries() : [])), ...keywords])),
    new Callable('namespace', (given, keywords) => {
      const members = given.flatMap((value) => (value instanceof Dictionary ? value.entries() : []));
      return new Namespace(new Map([...members.map(([key, value]) => [String(key), value] as const), ...keywords]));
    }),
    new Callable('cycler', (given) => (given.length === 0 ? raise('TypeError', 'at least one item has to be provided') : new Cycler(given))),
    new Callable('joiner', makeJoiner),
    new Callable('lipsum', makeLipsum),
  ].map((callable) => [callable.name, callable]),
);

/** The variable `loop` of one turn of a loop. */
export class Loop extends Thing {
  readonly type = 'LoopContext';
  readonly #items: readonly Value[];
  readonly #depth: number;
  readonly #recurse: ((items: Value) => Value) | undefined;
  #index = 0;
  #last: readonly Value[] | undefined;
  constructor(items: readonly Value[], depth: number, recurse: ((items: Value) => Value) | undefined) {
    super();
    this.#items = items;
    this.#depth = depth;
    this.#recurse = recurse;
  }
  advance(index: number): void {
    this.#index = index;
  }
  override attribute(name: string): Value | undefined {
    const { length } = this.#items;
    const index = this.#index;
    switch (name) {
      case 'index':
        return BigInt(index + 1);
      case 'index0':
        return BigInt(index);
      case 'revindex':
        return BigInt(length - index);
      case 'revindex0':
        return BigInt(length - index - 1);
      case 'first':
        return index === 0;
      case 'last':
        return index === length - 1;
      case 'length':
        return BigInt(length);
      case 'depth':
        return BigInt(this.#depth);
      case 'depth0':
        return BigInt(this.#depth - 1);
      case 'previtem':
        return index === 0 ? undefined : this.#items[index - 1];
      case 'nextitem':
        return this.#items[index + 1];
      case 'cycle':
        return new Callable('cycle', (given) => given[index % given.length] ?? raise('TypeError', 'no items for cycling given'));
      case 'changed':
        return new Callable('changed', (given) => {
          const isSame = this.#last !== undefined && this.#last.length === given.length && this.#last.every((value, position) => areEqual(value, given[position] ?? null));
          this.#last = given;
          return !isSame;
        });
      default:
        return undefined;
    }
  }
  override invoke(given: readonly Value[]): Value | undefined {
    if (this.#recurse === undefined) return raise('TypeError', "The loop must have the 'recursive' marker to be called recursively.");
    return this.#recurse(given[0] ?? null);
  }
  print(): string {
    return `<LoopContext ${this.#index + 1}/${this.#items.length}>`;
  }
}
