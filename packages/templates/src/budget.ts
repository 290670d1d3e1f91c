import { raise } from './values.ts';

/* A template is its writer's own program: it gets so much to work with, and no more. */

const MAXIMUM_STEPS = 200_000;
const MAXIMUM_TEXT_LENGTH = 1_000_000;
const MAXIMUM_ITEMS = 100_000;
const MAXIMUM_CALL_DEPTH = 50;

const exceeded = (what: string): never => raise('OverflowError', `The template ${what}.`);

/** What one rendering may still use. Throws TemplateError where it asks for more. */
export class Budget {
  #steps = MAXIMUM_STEPS;
  #textLength = MAXIMUM_TEXT_LENGTH;
  #depth = 0;

  /** One step of work, or as many as there are items to handle. */
  spend(steps = 1): void {
    this.#steps -= steps;
    if (this.#steps < 0) exceeded('takes too long');
  }

  /** Text that is written. */
  write(text: string): string {
    this.#textLength -= text.length;
    return this.#textLength < 0 ? exceeded('prints too much') : text;
  }

  /** Runs what may call itself. */
  nest<T>(work: () => T): T {
    if (this.#depth >= MAXIMUM_CALL_DEPTH) raise('RecursionError', 'maximum recursion depth exceeded');
    this.#depth += 1;
    try {
      return work();
    } finally {
      this.#depth -= 1;
    }
  }
}

/** The length of a text that is about to be made. Throws TemplateError where it is too long. */
export function checkTextLength(length: number): number {
  return length <= MAXIMUM_TEXT_LENGTH ? length : exceeded('makes a text that is too long');
}

/** The number of items of a list that is about to be made. Throws TemplateError where there are too many. */
export function checkItems(count: number): number {
  return count <= MAXIMUM_ITEMS ? count : exceeded('makes a list that is too long');
}
