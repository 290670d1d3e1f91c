import { TemplateError } from './errors.ts';

/* A template is its writer's own program: it gets so much to work with, and no more. */

const MAXIMUM_STEPS = 200_000;
const MAXIMUM_TEXT_LENGTH = 1_000_000;
const MAXIMUM_ITEMS = 100_000;
const MAXIMUM_CALL_DEPTH = 50;

/* What takes about as long as one step. */
const CHARACTERS_OF_A_STEP = 32;
const ITEMS_OF_A_STEP = 16;
const COMPARISONS_OF_A_STEP = 5000;

function exceeded(what: string): never {
  throw new TemplateError('OverflowError', `The template ${what}.`);
}

/** What one rendering may still use. Throws TemplateError where it asks for more. */
export class Budget {
  #steps = MAXIMUM_STEPS;
  #textLength = MAXIMUM_TEXT_LENGTH;
  #depth = 0;

  /** One step of work, or many. */
  spend(steps = 1): void {
    this.#steps -= Math.max(0, steps);
    if (this.#steps < 0) exceeded('takes too long');
  }

  /** Text that is written. */
  write(text: string): string {
    this.#textLength -= text.length;
    return this.#textLength < 0 ? exceeded('prints too much') : text;
  }

  /** Runs what may call itself. */
  nest<T>(work: () => T): T {
    if (this.#depth >= MAXIMUM_CALL_DEPTH) throw new TemplateError('RecursionError', 'maximum recursion depth exceeded');
    this.#depth += 1;
    try {
      return work();
    } finally {
      this.#depth -= 1;
    }
  }
}

/** Rendering never waits, so only one runs at a time: what works deep inside of values finds its budget here. */
let running: Budget | undefined;

/** Renders on a budget. */
export function withBudget<T>(budget: Budget, work: () => T): T {
  const before = running;
  running = budget;
  try {
    return work();
  } finally {
    running = before;
  }
}

/** Steps of the rendering that runs. */
export function spend(steps = 1): void {
  running?.spend(steps);
}

/** Work on a text of this length. */
export function spendText(length: number): void {
  spend(length / CHARACTERS_OF_A_STEP);
}

/** Work on so many items. */
export function spendItems(count: number): void {
  spend(count / ITEMS_OF_A_STEP);
}

/** Looking for a part in a text: at worst each place of the text is compared with the whole part. */
export function spendSearch(text: string, part: string): void {
  spend((text.length * part.length) / COMPARISONS_OF_A_STEP);
}

/** The length of a text that is about to be made, and is paid for. Throws TemplateError where it is too long. */
export function checkTextLength(length: number): number {
  if (!(length <= MAXIMUM_TEXT_LENGTH)) exceeded('makes a text that is too long');
  spendText(length);
  return length;
}

/** The number of items of a list that is about to be made, and is paid for. Throws TemplateError where there are too many. */
export function checkItems(count: number): number {
  if (!(count <= MAXIMUM_ITEMS)) exceeded('makes a list that is too long');
  spendItems(count);
  return count;
}
