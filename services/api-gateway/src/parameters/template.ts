import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { BadRequestError } from '@praetor/schema/errors';

/** Prefect's limit: a template is user input and must not build large lists. */
const MAXIMUM_RANGE = 100;

function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAXIMUM_RANGE)) throw new RangeError(`a range holds at most ${MAXIMUM_RANGE} numbers`);
  return Array.from({ length }, (_, index) => start + index * step);
}

/**
 * Renders a Jinja template in which nothing is defined but the language itself, as in parameters. The interpreter is a
 * language of its own: a template reaches no JavaScript object. Throws BadRequestError for a faulty template.
 */
export function renderTemplate(template: string): string {
  try {
    const environment = new Environment();
    for (const [name, value] of Object.entries({ true: true, True: true, false: false, False: false, none: null, None: null, range })) environment.set(name, value);
    return String(new Interpreter(environment).run(parse(tokenize(template))).value);
  } catch (error) {
    // The parser stumbles over the end of an unfinished template.
    const reason = error instanceof Error && !(error instanceof TypeError) ? error.message : 'it ends too early';
    throw new BadRequestError(`Invalid Jinja template: ${reason}`);
  }
}
