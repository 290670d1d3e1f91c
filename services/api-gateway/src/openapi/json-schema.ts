import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

/*
 * JSON schemas of zod schemas in the way that FastAPI writes those of pydantic models, so that the document is the one
 * which clients know. It tells what may be sent; `.meta()` adds keywords or, by `describedAs`, shows another schema.
 */

/** A default that is made anew for each object is not part of a document. */
function isShown(value: unknown): boolean {
  return value !== null && value !== undefined && (typeof value !== 'object' || Object.keys(value).length > 0);
}

interface Meta {
  id: string | undefined;
  /** Shown in its place. */
  describedAs: z.core.$ZodType | undefined;
  /** Overrules whether the field must be present. */
  required: boolean | undefined;
  keywords: JsonSchema;
}

function readMeta(schema: z.core.$ZodType): Meta {
  const { id, describedAs, required, parameters: _, converted: __, ...keywords } = (schema instanceof z.ZodType ? schema.meta() : undefined) ?? {};
  return {
    id,
    describedAs: describedAs instanceof z.ZodType ? describedAs : undefined,
    required: typeof required === 'boolean' ? required : undefined,
    keywords,
  };
}

/** Of a conversion, the side that sees what was sent: the first unless that is a function. */
function describedSide({ in: before, out: after }: z.core.$ZodPipeDef): z.core.$ZodType {
  return before._zod.def.type === 'transform' ? after : before;
}

const OPTIONAL_TYPES: ReadonlySet<string> = new Set(['optional', 'nullable', 'default', 'prefault']);

/** Whether a field may be left out. What may be null has null for a default in Prefect, unless it says otherwise. */
function isOptional(schema: z.core.$ZodType): boolean {
  const { required, describedAs } = readMeta(schema);
  if (required !== undefined) return !required;
  if (describedAs !== undefined) return isOptional(describedAs);
  // Of zod's own schemas, `$ZodTypes` is the union of all.
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'pipe' ? isOptional(describedSide(def)) : OPTIONAL_TYPES.has(def.type);
}

/** Collects named schemas under `components.schemas` while operations refer to them. */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {};

  /** The JSON schema of a zod schema; what carries an id (`.meta({ id })`) becomes a reference. */
  describe(schema: z.core.$ZodType): JsonSchema {
    const { id, describedAs, keywords } = readMeta(schema);
    if (id !== undefined) return this.define(id, schema);
    return { ...(describedAs ? this.describe(describedAs) : this.#describeType(schema)), ...keywords };
  }

  /** Describes a schema once, under a name; gives the reference to it. */
  define(name: string, schema: z.core.$ZodType): JsonSchema {
    if (!(name in this.schemas)) {
      const definition: JsonSchema = {};
      // A schema that contains itself finds this in its place.
      this.schemas[name] = definition;
      Object.assign(definition, this.#describeType(schema), readMeta(schema).keywords);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #describeType(schema: z.core.$ZodType): JsonSchema {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    switch (def.type) {
      case 'string':
        return { type: 'string', ...describeChecks(def.checks, ['minLength', 'maxLength']) };
      case 'number':
        return { type: 'format' in def ? 'integer' : 'number', ...describeChecks(def.checks, ['minimum', 'maximum']) };
      case 'boolean':
      case 'null':
        return { type: def.type };
      case 'enum':
        return { type: 'string', enum: Object.values(def.entries) };
      case 'literal':
        return { type: 'string', ...(def.values.length === 1 ? { const: def.values[0] } : { enum: def.values }) };
      case 'array':
        return { type: 'array', items: this.describe(def.element), ...describeChecks(def.checks, ['minItems', 'maxItems']) };
      case 'tuple':
        return { type: 'array', prefixItems: def.items.map((item) => this.describe(item)), minItems: def.items.length, maxItems: def.items.length };
      case 'record':
        return { type: 'object', additionalProperties: this.describe(def.valueType) };
      case 'object':
        return this.#describeObject(def);
      case 'union':
        return { anyOf: def.options.map((option) => this.describe(option)) };
      case 'nullable':
        return { anyOf: [...alternativesOf(this.describe(def.innerType)), { type: 'null' }] };
      case 'optional':
        return this.describe(def.innerType);
      case 'default':
      case 'prefault':
        return { ...this.describe(def.innerType), ...(isShown(def.defaultValue) && { default: def.defaultValue }) };
      case 'pipe':
        return this.describe(describedSide(def));
      case 'lazy':
        return this.describe(def.getter());
      default:
        return {};
    }
  }

  #describeObject({ shape, catchall }: z.core.$ZodObjectDef): JsonSchema {
    const required = Object.entries(shape).filter(([, field]) => !isOptional(field));
    return {
      type: 'object',
      properties: Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, this.describe(field)])),
      ...(required.length > 0 && { required: required.map(([name]) => name) }),
      ...(catchall && { additionalProperties: catchall._zod.def.type !== 'never' }),
    };
  }
}

/** Alternatives within alternatives are one list. */
function alternativesOf(schema: JsonSchema): JsonSchema[] {
  const { anyOf, ...rest } = schema;
  return Array.isArray(anyOf) && Object.keys(rest).length === 0 ? anyOf : [schema];
}

/** Bounds by the keywords of the type: of numbers, or of the length of texts and lists. */
function describeChecks(checks: readonly z.core.$ZodCheck[] = [], [least, most]: [least: string, most: string]): JsonSchema {
  const described: JsonSchema = {};
  for (const check of checks) {
    // Of zod's own checks, `$ZodChecks` is the union of all.
    const { def } = (check as unknown as z.core.$ZodChecks)._zod;
    if (def.check === 'greater_than') described[def.inclusive ? least : 'exclusiveMinimum'] = def.value;
    else if (def.check === 'less_than') described[def.inclusive ? most : 'exclusiveMaximum'] = def.value;
    else if (def.check === 'min_length') described[least] = def.minimum;
    else if (def.check === 'max_length') described[most] = def.maximum;
    else if (def.check === 'string_format' && def.pattern) described['pattern'] = def.pattern.source;
  }
  return described;
}
