import { z } from 'zod';

type Members = Readonly<Record<string, z.ZodType>>;
type OneOf<M extends Members> = z.ZodType<z.output<M[keyof M]>, z.input<M[keyof M]>>;
type Issue = z.core.$ZodIssue;

interface TaggedUnionDefinition extends z.core.$ZodUnionDef {
  tags: readonly string[];
}

interface TaggedUnion extends z.ZodUnion {
  _zod: z.ZodUnion['_zod'] & { def: TaggedUnionDefinition };
}

/** Deeper values are refused before they exhaust the stack. */
const MAXIMUM_NESTING = 20;

/** So far below a member that the value's `type` rules out, other such members still list their errors: the list doubles with each. */
const MAXIMUM_RULED_OUT = 2;

/** The fields of a model, also behind `z.preprocess`. */
function fieldsOf(member: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  if (member instanceof z.ZodObject) return member.shape;
  return member instanceof z.ZodPipe ? fieldsOf(member.def.out) : {};
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The lists of errors of members that the value's `type` rules out. */
const ruledOutErrors = new WeakSet<readonly Issue[]>();

/** The same issue without what members list that stand more than `levels` levels below one that is ruled out. */
function prune(issue: Issue, levels: number): Issue {
  if (issue.code !== 'invalid_union' || issue.inclusive === false) return issue;
  const errors = issue.errors.map((branch) => {
    const isRuledOut = ruledOutErrors.has(branch);
    const pruned = isRuledOut && levels === 0 ? [] : branch.map((inner) => prune(inner, levels - Number(isRuledOut)));
    if (isRuledOut) ruledOutErrors.add(pruned);
    return pruned;
  });
  return { ...issue, errors };
}

/** Applies a schema inside of another's parsing; the issues found are that other's. */
export function runSchema(schema: z.core.$ZodType, value: unknown, context: z.core.ParseContextInternal = {}): z.core.ParsePayload {
  const result = schema._zod.run({ value, issues: [] }, context);
  if (result instanceof Promise) throw new z.core.$ZodAsyncError();
  return result;
}

const TaggedUnion = z.core.$constructor<TaggedUnion, TaggedUnionDefinition>('TaggedUnion', (instance, definition) => {
  z.ZodUnion.init(instance, definition);
  const members = definition.options.map((schema, index) => {
    const fields = fieldsOf(schema);
    return { schema, tag: Symbol(definition.tags[index]), names: Object.keys(fields), types: fields['type']?._zod.values };
  });
  // Parsing is synchronous, so this tells how deep inside this union the value at hand is.
  let nesting = 0;
  instance._zod.parse = (payload, context) => {
    const { value } = payload;
    if (value === undefined) {
      payload.issues.push({ code: 'invalid_type', expected: 'nonoptional', input: value, inst: instance });
      return payload;
    }
    if (nesting >= MAXIMUM_NESTING) {
      payload.issues.push({ code: 'custom', input: value, message: `Values may be nested ${MAXIMUM_NESTING} levels deep at most`, params: { type: 'recursion_loop' } });
      return payload;
    }
    const run = ({ schema }: (typeof members)[number]): z.core.ParsePayload => {
      nesting += 1;
      try {
        return runSchema(schema, value, context);
      } finally {
        nesting -= 1;
      }
    };
    const describe = (result: z.core.ParsePayload, tag: symbol): Issue[] =>
      result.issues.map((raw) => {
        const issue = z.core.util.finalizeIssue(raw, context, z.core.config());
        return { ...issue, path: [tag, ...issue.path] };
      });
    const countFields = (names: readonly string[]) => (isObject(value) ? names.filter((name) => Object.hasOwn(value, name)).length : 0);

    const type = isObject(value) && 'type' in value ? value.type : undefined;
    const isRuledOut = ({ types }: (typeof members)[number]) => type !== undefined && types !== undefined && !new Set<unknown>(types).has(type);
    const attempts = members.filter((member) => !isRuledOut(member)).map((member) => ({ member, result: run(member) }));
    const fitting = attempts.filter(({ result }) => result.issues.length === 0);
    const [best] = fitting.toSorted((one, other) => countFields(other.member.names) - countFields(one.member.names));
    if (best !== undefined) return best.result;

    const errors = members.map((member) => {
      const attempt = attempts.find((attempt) => attempt.member === member);
      if (attempt !== undefined) return describe(attempt.result, member.tag);
      const ruledOut = describe(run(member), member.tag).map((issue) => prune(issue, MAXIMUM_RULED_OUT - 1));
      ruledOutErrors.add(ruledOut);
      return ruledOut;
    });
    payload.issues.push({ code: 'invalid_union', input: value, inst: instance, errors });
    return payload;
  };
});

/**
 * One of several schemas, chosen as pydantic does: where several fit, the model that knows most of the value's fields, then
 * the first. The keys are the names which pydantic gives the members in the locations of errors; they stand there as
 * symbols, because they are no keys of the value.
 */
export function taggedUnion<M extends Members>(members: M): OneOf<M> {
  const definition: TaggedUnionDefinition = { type: 'union', options: Object.values(members), tags: Object.keys(members) };
  // The union parses to what one of its members parses to, which a constructor over a list of schemas cannot express.
  return new TaggedUnion(definition) as z.ZodType as OneOf<M>;
}
