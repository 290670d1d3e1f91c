import type { Argument, BinaryOperator, Call, Comparison, Expression } from './syntax.ts';
import type { TokenStream } from './token-stream.ts';

/* Reads expressions, from the loosest operator to the tightest. Precedence and quirks are Jinja's. */

const COMPARISONS: readonly string[] = ['==', '!=', '<', '<=', '>', '>='] satisfies Comparison[];
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, True: true, false: false, False: false, none: null, None: null };
const STARTS_OF_OPERANDS = ['(', '[', '{'];

/** Deeper expressions are refused before they exhaust the stack. */
const MAXIMUM_DEPTH = 100;

interface TupleOptions {
  withCondition?: boolean;
  endNames?: readonly string[];
  isParenthesized?: boolean;
}

export class ExpressionParser {
  protected readonly stream: TokenStream;
  #depth = 0;

  constructor(stream: TokenStream) {
    this.stream = stream;
  }

  /** Guards a recursion. */
  protected nest<T>(parse: () => T): T {
    if (this.#depth >= MAXIMUM_DEPTH) throw this.stream.fault('too deeply nested');
    this.#depth += 1;
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  protected parseExpression(withCondition = true): Expression {
    return this.nest(() => (withCondition ? this.#conditional() : this.#or()));
  }

  /** One expression, or several with commas between: a tuple. */
  protected parseTuple({ withCondition = true, endNames = [], isParenthesized = false }: TupleOptions = {}): Expression {
    const { line } = this.stream.current;
    const items: Expression[] = [];
    let isTuple = false;
    const isEnd = () => this.stream.is('variable_end') || this.stream.is('block_end') || this.stream.is('operator', ')') || (endNames.length > 0 && this.stream.is('name', ...endNames));
    for (;;) {
      if (items.length > 0) {
        if (!this.stream.skipIf('operator', ',')) break;
        isTuple = true;
      }
      if (isEnd()) break;
      items.push(this.parseExpression(withCondition));
    }
    const [first] = items;
    if (!isTuple && first !== undefined) return first;
    if (!isTuple && !isParenthesized) throw this.stream.fault(`Expected an expression, got '${this.stream.describe()}'`);
    return { kind: 'tuple', items, line };
  }

  #conditional(): Expression {
    const { line } = this.stream.current;
    let expression = this.#or();
    while (this.stream.skipIf('name', 'if')) {
      const test = this.#or();
      const otherwise = this.stream.skipIf('name', 'else') ? this.nest(() => this.#conditional()) : null;
      expression = { kind: 'conditional', test, result: expression, otherwise, line };
    }
    return expression;
  }

  #logical(operator: 'and' | 'or', parseOperand: () => Expression): Expression {
    let left = parseOperand();
    while (this.stream.is('name', operator)) {
      const { line } = this.stream.next();
      left = { kind: 'logical', operator, left, right: parseOperand(), line };
    }
    return left;
  }

  #or(): Expression {
    return this.#logical('or', () => this.#and());
  }

  #and(): Expression {
    return this.#logical('and', () => this.#not());
  }

  #not(): Expression {
    if (!this.stream.is('name', 'not')) return this.#compare();
    const { line } = this.stream.next();
    return { kind: 'unary', operator: 'not', operand: this.nest(() => this.#not()), line };
  }

  #comparison(): Comparison | undefined {
    const { type, value } = this.stream.current;
    if (type === 'operator' && COMPARISONS.includes(value)) return this.stream.next().value as Comparison;
    if (this.stream.skipIf('name', 'in')) return 'in';
    if (this.stream.is('name', 'not') && this.stream.look().type === 'name' && this.stream.look().value === 'in') {
      this.stream.next();
      this.stream.next();
      return 'not in';
    }
    return undefined;
  }

  #compare(): Expression {
    const { line } = this.stream.current;
    const first = this.#sum();
    const rest: [Comparison, Expression][] = [];
    for (let operator = this.#comparison(); operator !== undefined; operator = this.#comparison()) rest.push([operator, this.#sum()]);
    return rest.length === 0 ? first : { kind: 'compare', first, rest, line };
  }

  /** Operators of the same strength, from left to right. */
  #binary(operators: readonly BinaryOperator[], parseOperand: () => Expression): Expression {
    let left = parseOperand();
    for (;;) {
      const { type, value, line } = this.stream.current;
      const operator = type === 'operator' ? operators.find((candidate) => candidate === value) : undefined;
      if (operator === undefined) return left;
      this.stream.next();
      left = { kind: 'binary', operator, left, right: parseOperand(), line };
    }
  }

  #sum(): Expression {
    return this.#binary(['+', '-'], () => this.#concatenation());
  }

  #concatenation(): Expression {
    const { line } = this.stream.current;
    const parts = [this.#product()];
    while (this.stream.skipIf('operator', '~')) parts.push(this.#product());
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : { kind: 'concatenation', parts, line };
  }

  #product(): Expression {
    return this.#binary(['*', '/', '//', '%'], () => this.#binary(['**'], () => this.#unary(true)));
  }

  #unary(withFilters: boolean): Expression {
    const { line } = this.stream.current;
    const operator = (['-', '+'] as const).find((sign) => this.stream.skipIf('operator', sign));
    const operand = operator === undefined ? this.#primary() : this.nest(() => this.#unary(false));
    const signed: Expression = operator === undefined ? operand : { kind: 'unary', operator, operand, line };
    const complete = this.#postfix(signed);
    return withFilters ? this.#filtersAndTests(complete) : complete;
  }

  #primary(): Expression {
    const token = this.stream.current;
    const { line } = token;
    switch (token.type) {
      case 'name': {
        const { value } = this.stream.next();
        const constant = Object.hasOwn(CONSTANTS, value) ? CONSTANTS[value] : undefined;
        return constant === undefined ? { kind: 'name', name: value, line } : { kind: 'constant', value: constant, line };
      }
      case 'string': {
        let value = '';
        while (this.stream.is('string')) value += this.stream.next().value;
        return { kind: 'constant', value, line };
      }
      case 'integer':
        return { kind: 'constant', value: BigInt(this.stream.next().value), line };
      case 'float':
        return { kind: 'constant', value: Number(this.stream.next().value), line };
      case 'operator':
        if (token.value === '(') return this.#parenthesized();
        if (token.value === '[') return this.#list();
        if (token.value === '{') return this.#dictionary();
        break;
      default:
    }
    throw this.stream.fault(`unexpected '${this.stream.describe(token)}'`);
  }

  #parenthesized(): Expression {
    this.stream.expect('operator', '(');
    const expression = this.nest(() => this.parseTuple({ isParenthesized: true }));
    this.stream.expect('operator', ')');
    return expression;
  }

  /** What stands with commas between, up to a closing bracket; a comma may stand at the end. */
  #items<T>(closing: string, parse: () => T): T[] {
    const items: T[] = [];
    while (!this.stream.is('operator', closing)) {
      if (items.length > 0) this.stream.expect('operator', ',');
      if (this.stream.is('operator', closing)) break;
      items.push(parse());
    }
    this.stream.expect('operator', closing);
    return items;
  }

  #list(): Expression {
    const { line } = this.stream.expect('operator', '[');
    return { kind: 'list', items: this.#items(']', () => this.parseExpression()), line };
  }

  #dictionary(): Expression {
    const { line } = this.stream.expect('operator', '{');
    const entries = this.#items('}', () => {
      const key = this.parseExpression();
      this.stream.expect('operator', ':');
      return [key, this.parseExpression()] as const;
    });
    return { kind: 'dictionary', entries, line };
  }

  #postfix(operand: Expression): Expression {
    let expression = operand;
    for (;;) {
      if (this.stream.is('operator', '.') || this.stream.is('operator', '[')) expression = this.#subscript(expression);
      else if (this.stream.is('operator', '(')) expression = this.#call(expression);
      else return expression;
    }
  }

  #subscript(object: Expression): Expression {
    const { value, line } = this.stream.next();
    if (value === '.') {
      const member = this.stream.next();
      if (member.type === 'name') return { kind: 'attribute', object, name: member.value, line };
      if (member.type !== 'integer') throw this.stream.fault('expected name or number', member.line);
      return { kind: 'item', object, key: { kind: 'constant', value: BigInt(member.value), line }, line };
    }
    const keys: (Expression | readonly [Expression | null, Expression | null, Expression | null])[] = [];
    while (!this.stream.is('operator', ']')) {
      if (keys.length > 0) this.stream.expect('operator', ',');
      keys.push(this.#subscripted());
    }
    this.stream.expect('operator', ']');
    const [first] = keys;
    if (keys.length === 1 && first !== undefined) return 'kind' in first ? { kind: 'item', object, key: first, line } : { kind: 'slice', object, bounds: first, line };
    const items = keys.map((key) => ('kind' in key ? key : ({ kind: 'constant', value: null, line } as const)));
    return { kind: 'item', object, key: { kind: 'tuple', items, line }, line };
  }

  /** What stands between brackets: a key, or the bounds of a slice. */
  #subscripted(): Expression | readonly [Expression | null, Expression | null, Expression | null] {
    const isEnd = () => this.stream.is('operator', ']', ',', ':');
    const start = this.stream.is('operator', ':') ? null : this.parseExpression();
    if (start !== null && !this.stream.is('operator', ':')) return start;
    this.stream.next();
    const stop = isEnd() ? null : this.parseExpression();
    const step = this.stream.skipIf('operator', ':') && !isEnd() ? this.parseExpression() : null;
    return [start, stop, step];
  }

  #call(callee: Expression): Expression {
    const { line } = this.stream.current;
    return { kind: 'call', callee, arguments: this.parseArguments(), line };
  }

  protected parseArguments(): Argument[] {
    const { line } = this.stream.expect('operator', '(');
    const given: Argument[] = [];
    const require = (isAllowed: boolean) => {
      if (!isAllowed) throw this.stream.fault('invalid syntax for function call expression', line);
    };
    const seen = new Set<Argument['kind']>();
    const has = (...kinds: readonly Argument['kind'][]) => kinds.some((kind) => seen.has(kind));
    const give = (argument: Argument) => {
      seen.add(argument.kind);
      given.push(argument);
    };
    while (!this.stream.is('operator', ')')) {
      if (given.length > 0) {
        this.stream.expect('operator', ',');
        if (this.stream.is('operator', ')')) break;
      }
      if (this.stream.skipIf('operator', '*')) {
        require(!has('list', 'dictionary'));
        give({ kind: 'list', value: this.parseExpression() });
      } else if (this.stream.skipIf('operator', '**')) {
        require(!has('dictionary'));
        give({ kind: 'dictionary', value: this.parseExpression() });
      } else if (this.stream.is('name') && this.stream.look().type === 'operator' && this.stream.look().value === '=') {
        require(!has('dictionary'));
        const { value: name } = this.stream.next();
        this.stream.next();
        give({ kind: 'keyword', name, value: this.parseExpression() });
      } else {
        require(!has('keyword', 'list', 'dictionary'));
        give({ kind: 'positional', value: this.parseExpression() });
      }
    }
    this.stream.expect('operator', ')');
    return given;
  }

  #dottedName(): string {
    let name = this.stream.expect('name').value;
    while (this.stream.skipIf('operator', '.')) name += `.${this.stream.expect('name').value}`;
    return name;
  }

  #filtersAndTests(operand: Expression): Expression {
    let expression = operand;
    for (;;) {
      if (this.stream.is('operator', '|')) expression = this.parseFilters(expression);
      else if (this.stream.is('name', 'is')) expression = this.#test(expression);
      else if (this.stream.is('operator', '(')) expression = this.#call(expression);
      else return expression;
    }
  }

  /** `| a | b(1)`; without an input the first filter has no bar before it. */
  protected parseFilters<T extends Expression | null>(input: T, startsInline = false): Expression | T {
    let expression: Expression | T = input;
    let isInline = startsInline;
    while (isInline || this.stream.is('operator', '|')) {
      if (!isInline) this.stream.next();
      isInline = false;
      const { line } = this.stream.current;
      const name = this.#dottedName();
      expression = { kind: 'filter', input: expression, filter: { name, arguments: this.stream.is('operator', '(') ? this.parseArguments() : [] }, line };
    }
    return expression;
  }

  #test(input: Expression): Expression {
    const { line } = this.stream.next();
    const negated = this.stream.skipIf('name', 'not');
    const name = this.#dottedName();
    return { kind: 'test', input, test: { name, arguments: this.#testArguments() } satisfies Call, negated, line };
  }

  #testArguments(): Argument[] {
    if (this.stream.is('operator', '(')) return this.parseArguments();
    const { type } = this.stream.current;
    const startsOperand = type === 'name' || type === 'string' || type === 'integer' || type === 'float' || this.stream.is('operator', ...STARTS_OF_OPERANDS);
    if (!startsOperand || this.stream.is('name', 'else', 'or', 'and')) return [];
    if (this.stream.is('name', 'is')) throw this.stream.fault('You cannot chain multiple tests with is');
    return [{ kind: 'positional', value: this.#postfix(this.#primary()) }];
  }
}
