import { isJsonObject, isRawJson, type RawJson } from '@praetor/schema/json';
import type { Correspondence } from './correspondence.ts';

/** Something that the two servers answered differently. `at` is where: `status`, `headers.allow`, `body.exception_detail[0].type`. */
export interface Difference {
  at: string;
  /** `number form`: equal numbers, printed differently (0.0 and 0); no client cares, but one should know. */
  kind: 'status' | 'headers' | 'body' | 'number form';
  real: unknown;
  ours: unknown;
}

/** Stands for a field that is not there, so that it differs from null. */
export const ABSENT = Symbol('absent');

/** How lists are compared where the order is not part of the contract. */
export interface CompareOptions {
  /** Every list of the answer is taken for a set. */
  unordered?: boolean;
  /** Fields that are not compared, at any depth. */
  ignore?: readonly string[];
}

/**
 * Lists that are sets in Python or rows in no order: it differs from process to process. The tags of a run join its own with
 * its deployment's; which fields of a deployment changed is found by a loop over a set.
 */
const SET_FIELDS = /\.(?:pause_keys|tags|capabilities|updated_fields)$|\.block_schema_references\.\w+$/;

const isNumber = (value: unknown): value is number | RawJson => typeof value === 'number' || isRawJson(value);
const numberText = (value: number | RawJson): string => (isRawJson(value) ? value.rawJSON : String(value));

function compareNumbers(real: number | RawJson, ours: number | RawJson, at: string, pairs: Correspondence): Difference[] {
  const [text, other] = [numberText(real), numberText(ours)];
  // Texts first: integers beyond a double's digits must not be rounded together.
  if (text === other) return [];
  const areEqual = /^-?\d{16,}$/.test(text) ? false : Number(text) === Number(other);
  const isIntegral = (printed: string) => /^-?\d+$/.test(printed);
  const form: Difference[] = isIntegral(text) === isIntegral(other) ? [] : [{ at, kind: 'number form', real, ours }];
  return areEqual || pairs.matchDurations(at, Number(text), Number(other)) ? form : [{ at, kind: 'body', real, ours }];
}

/** What an element is about, where it says so. */
function identify(element: unknown): string | undefined {
  const id = isJsonObject(element) ? (element['id'] ?? element['flow_run_id']) : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** The place of the element that is about the same thing or, where that is not known yet, that differs least. */
function findCounterpart(real: unknown, candidates: unknown[], at: string, pairs: Correspondence, options: CompareOptions): number {
  const id = identify(real);
  const known = id === undefined ? -1 : candidates.findIndex((candidate) => identify(candidate) === pairs.translateText(id));
  if (known !== -1) return known;
  const attempts = candidates.map((candidate) => compare(real, candidate, at, pairs.fork(), options).length);
  return attempts.indexOf(Math.min(...attempts));
}

/** Pairs the elements of two sets so that as little as possible differs; what is left over on a side is a difference. */
function compareSets(real: unknown[], ours: unknown[], at: string, pairs: Correspondence, options: CompareOptions): Difference[] {
  const left = [...ours];
  const differences: Difference[] = [];
  for (const [index, element] of real.entries()) {
    const place = `${at}[${index}]`;
    const best = findCounterpart(element, left, place, pairs, options);
    differences.push(...compare(element, best === -1 ? ABSENT : left[best], place, pairs, options));
    if (best !== -1) left.splice(best, 1);
  }
  return [...differences, ...left.map((element): Difference => ({ at: `${at}[]`, kind: 'body', real: ABSENT, ours: element }))];
}

/** Every place where two decoded JSON values differ, ids and clocks set against each other by `pairs`, which learns new ones. */
export function compare(real: unknown, ours: unknown, at: string, pairs: Correspondence, options: CompareOptions = {}): Difference[] {
  if (isNumber(real) && isNumber(ours)) return compareNumbers(real, ours, at, pairs);
  if (typeof real === 'string' && typeof ours === 'string') return pairs.match(at, real, ours) ? [] : [{ at, kind: 'body', real, ours }];
  if (Array.isArray(real) && Array.isArray(ours)) {
    if (options.unordered || SET_FIELDS.test(at)) return compareSets(real, ours, at, pairs, options);
    return Array.from({ length: Math.max(real.length, ours.length) }, (_, index) =>
      compare(index < real.length ? real[index] : ABSENT, index < ours.length ? ours[index] : ABSENT, `${at}[${index}]`, pairs, options),
    ).flat();
  }
  if (isJsonObject(real) && isJsonObject(ours)) return compareObjects(real, ours, at, pairs, options);
  return Object.is(real, ours) ? [] : [{ at, kind: 'body', real, ours }];
}

function compareObjects(real: object, ours: object, at: string, pairs: Correspondence, options: CompareOptions): Difference[] {
  // Keys can be ids: answers like {flow_run_id: count}.
  const compared = (object: object) => Object.entries(object).filter(([key]) => !options.ignore?.includes(key));
  const others = new Map(compared(ours));
  const differences = compared(real).flatMap(([key, value]) => {
    const other = pairs.translateText(key);
    const counterpart = others.has(other) ? others.get(other) : ABSENT;
    others.delete(other);
    return compare(value, counterpart, `${at}.${key}`, pairs, options);
  });
  return [...differences, ...[...others].map(([key, value]): Difference => ({ at: `${at}.${key}`, kind: 'body', real: ABSENT, ours: value }))];
}
