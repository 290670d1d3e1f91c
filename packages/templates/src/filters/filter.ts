import type { Arguments } from '../arguments.ts';
import { type Value } from '../values.ts';

/** What a filter may use beside its input and arguments. */
export interface FilterContext {
  readonly uiUrl: string | undefined;
  /** The moment that relative times are told from, in milliseconds since 1970. */
  readonly now: number;
  /** Whether what is printed is escaped for HTML here. */
  readonly escapes: boolean;
  applyFilter(name: string, input: Value, given: readonly Value[], keywords: ReadonlyMap<string, Value>): Value;
  applyTest(name: string, input: Value, given: readonly Value[], keywords: ReadonlyMap<string, Value>): boolean;
}

export interface Filter {
  readonly parameters: readonly string[];
  readonly takesMore: boolean;
  readonly work: (input: Value, given: Arguments, context: FilterContext) => Value;
}

export type Filters = Readonly<Record<string, Filter>>;

export function filter(parameters: readonly string[], work: Filter['work']): Filter {
  return { parameters, takesMore: false, work };
}

/** A filter that hands further arguments on. */
export function openFilter(parameters: readonly string[], work: Filter['work']): Filter {
  return { parameters, takesMore: true, work };
}
