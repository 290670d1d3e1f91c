import { BadRequestError } from '@praetor/schema/errors';
import { TemplateError } from '@praetor/templates/errors';
import { renderTemplate as render } from '@praetor/templates/render';
import { findTemplateFault as findFault } from '@praetor/templates/validate';

/* Jinja templates in parameters, in the words in which an answer speaks of them. */

/** What is wrong with the text of a template, in words, or undefined. */
export function findTemplateFault(template: string): string | undefined {
  const fault = findFault(template);
  return fault && `Invalid jinja: ${fault.message}`;
}

/** Renders a template in which nothing is defined but the language itself. Throws BadRequestError for a faulty one. */
export function renderTemplate(template: string): string {
  const fault = findTemplateFault(template);
  if (fault !== undefined) throw new BadRequestError(fault);
  try {
    return render(template, {});
  } catch (error) {
    if (error instanceof TemplateError) throw new BadRequestError(`Invalid jinja: ${error.message}`);
    throw error;
  }
}
