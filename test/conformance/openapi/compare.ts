import { type Json, type JsonObject, isJsonObject } from '@praetor/schema/json';

/*
 * Compares two OpenAPI documents by what they mean: paths, operations, parameters, required, types, enums, defaults,
 * statuses. Prose is left out, `$ref`s are followed, and a component counts as the same one with or without the `-Input`
 * or `-Output` that FastAPI appends.
 */

/** Words for people, which mean nothing to a program. */
const PROSE = new Set(['title', 'description', 'summary', 'examples', 'example']);

const OPERATIONS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const REFERENCE = '#/components/schemas/';

/** The child at a path of keys, or an empty object. */
function find(value: Json | undefined, ...path: string[]): JsonObject {
  const found = path.reduce<Json | undefined>((parent, key) => (isJsonObject(parent) ? parent[key] : undefined), value);
  return isJsonObject(found) ? found : {};
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

/** Text that two values share exactly when they mean the same: keys sorted, prose gone. */
function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'nothing';
  const entries = Object.entries(value).filter(([key]) => !PROSE.has(key));
  return `{${entries.map(([key, child]) => `${key}:${canonical(child)}`).toSorted().join(',')}}`;
}

function baseName(name: string): string {
  return name.replace(/-(?:Input|Output)$/, '');
}

class Comparison {
  readonly differences: string[] = [];
  readonly #ours: JsonObject;
  readonly #theirs: JsonObject;
  readonly #seen = new Set<string>();

  constructor(ours: JsonObject, theirs: JsonObject) {
    this.#ours = ours;
    this.#theirs = theirs;
  }

  compare(): string[] {
    const operations = (document: JsonObject) =>
      Object.entries(find(document, 'paths')).flatMap(([path, item]) => OPERATIONS.filter((method) => isJsonObject(item) && method in item).map((method) => ({ path, method })));
    const name = ({ path, method }: { path: string; method: string }) => `${method.toUpperCase()} ${path}`;
    const ours = new Map(operations(this.#ours).map((operation) => [name(operation), operation]));
    const theirs = new Map(operations(this.#theirs).map((operation) => [name(operation), operation]));
    this.#compareKeys('operations', [...ours.keys()], [...theirs.keys()]);
    for (const [at, { path, method }] of theirs)
      if (ours.has(at)) this.#compareOperations(at, find(this.#ours, 'paths', path, method), find(this.#theirs, 'paths', path, method));
    return this.differences;
  }

  #report(at: string, ours: Json | undefined, theirs: Json | undefined): void {
    this.differences.push(`${at}: ${canonical(ours)}, theirs ${canonical(theirs)}`);
  }

  #compareKeys(at: string, ours: string[], theirs: string[]): void {
    for (const key of theirs) if (!ours.includes(key)) this.differences.push(`${at}: lacks ${key}`);
    for (const key of ours) if (!theirs.includes(key)) this.differences.push(`${at}: adds ${key}`);
  }

  #compareOperations(at: string, ours: JsonObject, theirs: JsonObject): void {
    const tags = ({ tags }: JsonObject) => [...new Set(listOf(tags).map(String))].toSorted().join(', ');
    if (tags(ours) !== tags(theirs)) this.#report(`${at} tags`, tags(ours), tags(theirs));
    for (const key of ['operationId', 'deprecated'])
      if (canonical(ours[key]) !== canonical(theirs[key])) this.#report(`${at} ${key}`, ours[key], theirs[key]);
    this.#compareParameters(at, listOf(ours['parameters']).map((parameter) => find(parameter)), listOf(theirs['parameters']).map((parameter) => find(parameter)));
    this.#compareContents(`${at} body`, ours['requestBody'], theirs['requestBody']);
    const [ourResponses, theirResponses] = [find(ours, 'responses'), find(theirs, 'responses')];
    this.#compareKeys(`${at} statuses`, Object.keys(ourResponses), Object.keys(theirResponses));
    for (const status of Object.keys(theirResponses)) if (status in ourResponses) this.#compareContents(`${at} ${status}`, ourResponses[status], theirResponses[status]);
  }

  #compareParameters(at: string, ours: JsonObject[], theirs: JsonObject[]): void {
    const name = (parameter: JsonObject) => `${canonical(parameter['in'])} parameter ${canonical(parameter['name'])}`.replaceAll('"', '');
    this.#compareKeys(at, ours.map(name), theirs.map(name));
    for (const parameter of theirs) {
      const own = ours.find((candidate) => name(candidate) === name(parameter));
      if (own === undefined) continue;
      if ((own['required'] ?? false) !== (parameter['required'] ?? false)) this.#report(`${at} ${name(parameter)} required`, own['required'], parameter['required']);
      this.#compareSchemas(`${at} ${name(parameter)}`, find(own, 'schema'), find(parameter, 'schema'));
    }
  }

  #compareContents(at: string, ours: Json | undefined, theirs: Json | undefined): void {
    const required = (value: Json | undefined) => find(value)['required'] ?? false;
    if (required(ours) !== required(theirs)) this.#report(`${at} required`, required(ours), required(theirs));
    const [ourTypes, theirTypes] = [find(ours, 'content'), find(theirs, 'content')];
    this.#compareKeys(`${at} content`, Object.keys(ourTypes), Object.keys(theirTypes));
    for (const type of Object.keys(theirTypes)) if (type in ourTypes) this.#compareSchemas(at, find(ourTypes, type, 'schema'), find(theirTypes, type, 'schema'));
  }

  #compareSchemas(at: string, ours: JsonObject, theirs: JsonObject): void {
    const [own, other] = [withoutNull(ours), withoutNull(theirs)];
    if (own.isNullable === other.isNullable) return this.#compareNamed(at, ours, theirs);
    this.differences.push(`${at}: ${own.isNullable ? 'may be null, theirs not' : 'not null, theirs may be'}`);
    this.#compareNamed(at, own.schema, other.schema);
  }

  #compareNamed(at: string, ours: JsonObject, theirs: JsonObject): void {
    const [ourName, theirName] = [referenceOf(ours), referenceOf(theirs)];
    if (theirName !== undefined) {
      if (ourName === undefined || baseName(ourName) !== baseName(theirName)) this.differences.push(`${at}: is ${ourName ?? 'unnamed'}, theirs ${theirName}`);
      if (ourName !== undefined && this.#seen.has(`${ourName} ${theirName}`)) return;
      this.#seen.add(`${ourName} ${theirName}`);
      const resolved = ourName === undefined ? ours : find(this.#ours, 'components', 'schemas', ourName);
      this.#compareKeywords(theirName, { ...resolved, ...siblings(ours) }, { ...find(this.#theirs, 'components', 'schemas', theirName), ...siblings(theirs) });
    } else if (ourName !== undefined) {
      this.differences.push(`${at}: is ${ourName}, theirs unnamed`);
      this.#compareKeywords(at, { ...find(this.#ours, 'components', 'schemas', ourName), ...siblings(ours) }, theirs);
    } else this.#compareKeywords(at, ours, theirs);
  }

  #compareKeywords(at: string, ours: JsonObject, theirs: JsonObject): void {
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      const [own, other] = [ours[key], theirs[key]];
      if (PROSE.has(key) || canonical(own) === canonical(other)) continue;
      // `true` and `{}` are the same schema: anything.
      if (key === 'additionalProperties' && [own, other].every((schema) => schema === true || canonical(schema) === '{}')) continue;
      if (key === 'properties') this.#compareProperties(at, find(own), find(other));
      else if (key === 'required') this.#compareKeys(`${at} required`, listOf(own).map(String), listOf(other).map(String));
      else if (isJsonObject(own) && isJsonObject(other) && (key === 'items' || key === 'additionalProperties')) this.#compareSchemas(`${at}[]`, own, other);
      else if (key === 'anyOf' || key === 'oneOf' || key === 'prefixItems') this.#compareAlternatives(`${at} ${key}`, listOf(own), listOf(other));
      else this.#report(`${at} ${key}`, own, other);
    }
  }

  #compareProperties(at: string, ours: JsonObject, theirs: JsonObject): void {
    this.#compareKeys(at, Object.keys(ours), Object.keys(theirs));
    for (const key of Object.keys(theirs)) if (key in ours) this.#compareSchemas(`${at}.${key}`, find(ours, key), find(theirs, key));
  }

  #compareAlternatives(at: string, ours: Json[], theirs: Json[]): void {
    if (ours.length !== theirs.length) return this.#report(at, ours, theirs);
    for (const [index, alternative] of theirs.entries()) this.#compareSchemas(theirs.length === 2 ? at : `${at}[${index}]`, find(ours[index]), find(alternative));
  }
}

/** `anyOf: [X, null]` is X that may be null. */
function withoutNull(schema: JsonObject): { schema: JsonObject; isNullable: boolean } {
  const alternatives = listOf(schema['anyOf']).map((alternative) => find(alternative));
  const others = alternatives.filter(({ type }) => type !== 'null');
  if (others.length === alternatives.length) return { schema, isNullable: false };
  const { anyOf: _, ...rest } = schema;
  return { schema: others.length === 1 ? { ...others[0], ...rest } : { anyOf: others, ...rest }, isNullable: true };
}

function referenceOf(schema: JsonObject): string | undefined {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? reference.replace(REFERENCE, '') : undefined;
}

function siblings({ $ref: _, ...rest }: JsonObject): JsonObject {
  return rest;
}

/** Every difference, a line each, in the order of their document: `FlowCreate.tags default: [], theirs nothing`. */
export function compareDocuments(ours: JsonObject, theirs: JsonObject): string[] {
  return new Comparison(ours, theirs).compare();
}
