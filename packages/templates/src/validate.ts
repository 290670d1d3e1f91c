import { TemplateError } from './errors.ts';
import { MAXIMUM_LOOPS, MAXIMUM_LOOP_DEPTH } from './limits.ts';
import { parseTemplate } from './parser.ts';
import type { Expression, Statement } from './syntax.ts';
import { innerExpressions, innerStatements, ownExpressions } from './traversal.ts';

/* What a template may be before it is ever rendered (facts/events.md §7, Templates). */

export interface TemplateFault {
  message: string;
  /** From 1; 0 where the template as a whole is refused. */
  line: number;
}

const refusal = (message: string): TemplateError => new TemplateError('TemplateSecurityError', message);

function countLoops(statements: readonly Statement[]): number {
  return statements.reduce((sum, statement) => sum + Number(statement.kind === 'for') + countLoops(innerStatements(statement)), 0);
}

function loopDepth(statements: readonly Statement[]): number {
  return statements.reduce((deepest, statement) => Math.max(deepest, Number(statement.kind === 'for') + loopDepth(innerStatements(statement))), 0);
}

/** Reads a template and holds it to Prefect's limits of loops. Throws TemplateError. */
function checkTemplate(template: string): void {
  const statements = parseTemplate(template);
  const loops = countLoops(statements);
  if (loops > MAXIMUM_LOOPS) throw refusal(`The template loops in ${loops} places; ${MAXIMUM_LOOPS} are allowed.`);
  const depth = loopDepth(statements);
  if (depth > MAXIMUM_LOOP_DEPTH) throw refusal(`The template has loops within loops to a depth of ${depth}; ${MAXIMUM_LOOP_DEPTH} is allowed.`);
}

/** What is wrong with a template, if anything is. */
export function findTemplateFault(template: string): TemplateFault | undefined {
  try {
    checkTemplate(template);
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) return { message: error.message, line: error.line };
    throw error;
  }
}

/** Without recursion: a sum of ten thousand summands is as deep. */
function collectNames(expression: Expression | null, names: Set<string>): void {
  const waiting = [expression];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === null) continue;
    if (next.kind === 'name') names.add(next.name);
    for (const inner of innerExpressions(next)) waiting.push(inner);
  }
}

function collectNamesOf(statements: readonly Statement[], names: Set<string>): void {
  for (const statement of statements) {
    for (const expression of ownExpressions(statement)) collectNames(expression, names);
    collectNamesOf(innerStatements(statement), names);
  }
}

/** The names that templates read, also those that they define themselves. Throws TemplateError. */
export function namesInTemplates(templates: Iterable<string>): Set<string> {
  const names = new Set<string>();
  for (const template of templates) collectNamesOf(parseTemplate(template), names);
  return names;
}
