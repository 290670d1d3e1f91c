import type { Misfit } from '@praetor/parameters/misfits';
import type { SchemaValueError } from '@praetor/schema/schema-validation';

/** What is told of one property or element; a new entry where there is none yet. */
function errorsAt(errors: SchemaValueError[], part: string | number): SchemaValueError[] {
  for (const entry of errors) if (typeof entry !== 'string' && ('property' in entry ? entry.property : entry.index) === part) return entry.errors;
  const nested: SchemaValueError[] = [];
  errors.push(typeof part === 'number' ? { index: part, errors: nested } : { property: part, errors: nested });
  return nested;
}

/** Misfits in the nesting of the values; each has an entry of its own in the innermost list. */
export function nestErrors(misfits: readonly Misfit[]): SchemaValueError[] {
  const errors: SchemaValueError[] = [];
  for (const { path, message } of misfits) {
    const last = path.at(-1);
    const inner = path.slice(0, -1).reduce(errorsAt, errors);
    if (last === undefined) errors.push(message);
    else inner.push(typeof last === 'number' ? { index: last, errors: [message] } : { property: last, errors: [message] });
  }
  return errors;
}
