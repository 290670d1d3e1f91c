import type { Argument, Expression, Statement } from './syntax.ts';

/* What is inside of a node of the tree. */

const valuesOf = (given: readonly Argument[]): Expression[] => given.map(({ value }) => value);

/** The expressions directly below one. */
export function innerExpressions(expression: Expression): readonly (Expression | null)[] {
  switch (expression.kind) {
    case 'constant':
    case 'name':
      return [];
    case 'list':
    case 'tuple':
      return expression.items;
    case 'dictionary':
      return expression.entries.flat();
    case 'attribute':
      return [expression.object];
    case 'item':
      return [expression.object, expression.key];
    case 'slice':
      return [expression.object, ...expression.bounds];
    case 'call':
      return [expression.callee, ...valuesOf(expression.arguments)];
    case 'filter':
      return [expression.input, ...valuesOf(expression.filter.arguments)];
    case 'test':
      return [expression.input, ...valuesOf(expression.test.arguments)];
    case 'unary':
      return [expression.operand];
    case 'binary':
    case 'logical':
      return [expression.left, expression.right];
    case 'compare':
      return [expression.first, ...expression.rest.map(([, operand]) => operand)];
    case 'concatenation':
      return expression.parts;
    default:
      return [expression.test, expression.result, expression.otherwise];
  }
}

/** The statements directly below one. */
export function innerStatements(statement: Statement): readonly Statement[] {
  switch (statement.kind) {
    case 'if':
      return [...statement.branches.flatMap(([, body]) => body), ...statement.otherwise];
    case 'for':
      return [...statement.body, ...statement.otherwise];
    case 'data':
    case 'output':
    case 'set':
    case 'other_template':
      return [];
    default:
      return statement.body;
  }
}

/** The expressions that stand in a statement itself. */
export function ownExpressions(statement: Statement): readonly (Expression | null)[] {
  switch (statement.kind) {
    case 'data':
    case 'block':
      return [];
    case 'output':
    case 'set':
    case 'autoescape':
      return [statement.value];
    case 'for':
      return [statement.iterable, statement.test];
    case 'if':
      return statement.branches.map(([test]) => test);
    case 'set_block':
    case 'filter_block':
      return [statement.filter];
    case 'with':
      return statement.bindings.map(([, value]) => value);
    case 'macro':
      return statement.signature.parameters.map(({ fallback }) => fallback);
    case 'call_block':
      return [statement.call, ...statement.signature.parameters.map(({ fallback }) => fallback)];
    default:
      return [statement.expression];
  }
}

