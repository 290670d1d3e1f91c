/* The syntax tree of a template. Every node knows its line. */

export interface Argument {
  readonly kind: 'positional' | 'keyword' | 'list' | 'dictionary';
  readonly name?: string;
  readonly value: Expression;
}

export interface Call {
  readonly name: string;
  readonly arguments: readonly Argument[];
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

export type Expression = { readonly line: number } & (
  | { readonly kind: 'constant'; readonly value: string | bigint | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly kind: 'dictionary'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'attribute'; readonly object: Expression; readonly name: string }
  | { readonly kind: 'item'; readonly object: Expression; readonly key: Expression }
  | { readonly kind: 'slice'; readonly object: Expression; readonly bounds: readonly [Expression | null, Expression | null, Expression | null] }
  | { readonly kind: 'call'; readonly callee: Expression; readonly arguments: readonly Argument[] }
  | { readonly kind: 'filter'; readonly input: Expression | null; readonly filter: Call }
  | { readonly kind: 'test'; readonly input: Expression; readonly test: Call; readonly negated: boolean }
  | { readonly kind: 'unary'; readonly operator: '-' | '+' | 'not'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'logical'; readonly operator: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'compare'; readonly first: Expression; readonly rest: readonly (readonly [Comparison, Expression])[] }
  | { readonly kind: 'concatenation'; readonly parts: readonly Expression[] }
  | { readonly kind: 'conditional'; readonly test: Expression; readonly result: Expression; readonly otherwise: Expression | null }
);

export type Target = { readonly line: number } & (
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly object: string; readonly name: string }
  | { readonly kind: 'tuple'; readonly items: readonly Target[] }
);

export interface Signature {
  readonly parameters: readonly { readonly name: string; readonly fallback: Expression | null }[];
}

export type Statement = { readonly line: number } & (
  | { readonly kind: 'data'; readonly text: string }
  | { readonly kind: 'output'; readonly value: Expression }
  | {
      readonly kind: 'for';
      readonly target: Target;
      readonly iterable: Expression;
      readonly test: Expression | null;
      readonly isRecursive: boolean;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly kind: 'if'; readonly branches: readonly (readonly [Expression, readonly Statement[]])[]; readonly otherwise: readonly Statement[] }
  | { readonly kind: 'set'; readonly target: Target; readonly value: Expression }
  | { readonly kind: 'set_block'; readonly target: Target; readonly filter: Expression | null; readonly body: readonly Statement[] }
  | { readonly kind: 'with'; readonly bindings: readonly (readonly [Target, Expression])[]; readonly body: readonly Statement[] }
  | { readonly kind: 'filter_block'; readonly filter: Expression; readonly body: readonly Statement[] }
  | { readonly kind: 'macro'; readonly name: string; readonly signature: Signature; readonly body: readonly Statement[] }
  | { readonly kind: 'call_block'; readonly call: Expression; readonly signature: Signature; readonly body: readonly Statement[] }
  | { readonly kind: 'autoescape'; readonly value: Expression; readonly body: readonly Statement[] }
  | { readonly kind: 'block'; readonly name: string; readonly body: readonly Statement[] }
  /** Another template; there is none. */
  | { readonly kind: 'other_template'; readonly expression: Expression }
);
