import { inspect } from 'node:util';
import { isRawJson, toJson } from '@praetor/schema/json';
import { ABSENT, type Difference } from './compare.ts';
import { type Deliberate, deliberate } from './deliberate.ts';
import type { Step } from './twin-client.ts';

const SHOWN_CHARACTERS = 600;

function shorten(text: string, length = SHOWN_CHARACTERS): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}

function show(value: unknown): string {
  if (value === ABSENT) return '(absent)';
  return shorten(isRawJson(value) ? value.rawJSON : value === undefined ? 'undefined' : toJson(value));
}

/** What is unexplained of a step, ready to print; empty where nothing is. */
export interface Finding {
  step: Step;
  differences: Difference[];
}

/** Sorts differences into deliberate and unexplained ones, and remembers which of the deliberate ones occurred. */
export class Judge {
  readonly #met = new Set<Deliberate>();
  readonly #strictNumbers: boolean;
  readonly #deliberate: readonly Deliberate[];
  /** Fields whose numbers were printed in another form, where that is not taken for a difference. */
  readonly numberForms = new Map<string, number>();

  /** `also`: what is deliberate beside the differences that sequences meet. */
  constructor({ strictNumbers = false, also = [] }: { strictNumbers?: boolean; also?: readonly Deliberate[] } = {}) {
    this.#strictNumbers = strictNumbers;
    this.#deliberate = [...also, ...deliberate];
  }

  /** The steps with unexplained differences. */
  findings(steps: readonly Step[]): Finding[] {
    return steps.map((step) => ({ step, differences: step.differences.filter((difference) => !this.#isExplained(difference, step)) })).filter(({ differences }) => differences.length > 0);
  }

  #isExplained(difference: Difference, step: Step): boolean {
    if (difference.kind === 'number form' && !this.#strictNumbers) {
      const field = /[^.]*$/.exec(difference.at)?.[0] ?? difference.at;
      this.numberForms.set(field, (this.numberForms.get(field) ?? 0) + 1);
      return true;
    }
    const cover = this.#deliberate.find(({ covers }) => covers(difference, step));
    if (cover) this.#met.add(cover);
    return cover !== undefined;
  }

  /** Deliberate differences that did not occur. */
  unmet(): string[] {
    return this.#deliberate.filter((entry) => !this.#met.has(entry)).map(({ reason }) => reason);
  }
}

/** A finding as text: the request, then each place with both values. */
export function describeFinding({ step, differences }: Finding): string {
  const lines = differences.map(({ at, real, ours }) => `    ${at}\n      real ${show(real)}\n      ours ${show(ours)}`);
  return [`  ${step.line}  ${step.method} ${shorten(step.path, 200)} ${shorten(step.body, 300)} → ${step.status}`, ...lines].join('\n');
}

/** Why a sequence could not go on. */
export function describeCrash(error: unknown): string {
  return `  the sequence broke off: ${inspect(error)}`;
}
