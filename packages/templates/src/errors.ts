/**
 * A template that cannot be read or rendered. `kind` is the class of the exception that Jinja would raise, and `line` the
 * line of the template where reading stopped, from 1; 0 where the template as a whole is refused.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly kind: string;
  readonly line: number;
  constructor(kind: string, message: string, line = 0) {
    super(message);
    this.kind = kind;
    this.line = line;
  }
}

export function syntaxError(message: string, line: number): TemplateError {
  return new TemplateError('TemplateSyntaxError', message, line);
}
