import type { Event } from '@praetor/schema/event';
import { isJsonObject, isRawJson } from '@praetor/schema/json';
import { parseTimestamp } from '@praetor/schema/timestamps';
import { Duration, Moment, parseMoment } from './moments.ts';
import { Callable, Dictionary, Thing, Tuple, type Value, fromJson, isText, textOf } from './values.ts';

/*
 * What the context of an automation's templates holds: Prefect's models, with fields that are moments, durations and the
 * like, not texts (facts/events.md §7, Templates).
 */

/** A UUID. */
class Identifier extends Thing {
  readonly type = 'UUID';
  readonly #text: string;
  constructor(text: string) {
    super();
    this.#text = text;
  }
  print(): string {
    return this.#text;
  }
  /** Prefect fails where a bare id becomes JSON; here its text does. */
  override toPlain(): Value {
    return this.#text;
  }
}

/** One of Python's enums whose members are texts: it prints with the enum's name, and is its text in all else. */
class Member extends Thing {
  readonly type: string;
  readonly #value: string;
  constructor(type: string, value: string) {
    super();
    this.type = type;
    this.#value = value;
  }
  override attribute(name: string): Value | undefined {
    return name === 'value' || name === 'name' ? this.#value : undefined;
  }
  override text(): string {
    return this.#value;
  }
  print(): string {
    return `${this.type}.${this.#value}`;
  }
  override toPlain(): Value {
    return this.#value;
  }
}

const MOMENTS = new Set(['created', 'updated', 'start_time', 'end_time', 'expected_start_time', 'next_scheduled_start_time', 'last_polled', 'timestamp', 'occurred', 'received', 'triggered', 'scheduled_time', 'pause_timeout', 'cache_expiration', 'anchor_date']);
const DURATIONS = new Set(['total_run_time', 'estimated_run_time', 'estimated_start_time_delta', 'within', 'schedule_after', 'interval']);
const ENUMS: Readonly<Record<string, string>> = {
  'State.type': 'StateType',
  'flow-run.state_type': 'StateType',
  'task-run.state_type': 'StateType',
  'Trigger.posture': 'Posture',
  'deployment.status': 'DeploymentStatus',
  'work-pool.status': 'WorkPoolStatus',
  'work-queue.status': 'WorkQueueStatus',
};
/** Fields that hold models of their own. */
const MODELS: Readonly<Record<string, string>> = {
  state: 'State',
  state_details: 'StateDetails',
  trigger: 'Trigger',
  triggers: 'Trigger',
  actions: 'Action',
  created_by: 'CreatedBy',
  updated_by: 'UpdatedBy',
  schedules: 'Schedule',
  schedule: 'Schedule',
  empirical_policy: 'Policy',
  triggering_firings: 'firing',
  global_concurrency_limit: 'concurrency-limit',
};

function seconds(value: unknown): number | undefined {
  const number = isRawJson(value) ? Number(value.rawJSON) : value;
  return typeof number === 'number' ? number : undefined;
}

function toField(kind: string, name: string, value: unknown): Value {
  const model = Object.hasOwn(MODELS, name) ? MODELS[name] : undefined;
  if (name === 'triggering_event' && isJsonObject(value)) return new EventObject(value);
  if (model !== undefined && isJsonObject(value)) return new Model(model, value);
  if (model !== undefined && Array.isArray(value)) return value.map((item) => (isJsonObject(item) ? new Model(model, item) : fromJson(item)));
  const duration = DURATIONS.has(name) ? seconds(value) : undefined;
  if (duration !== undefined) return new Duration(duration * 1e6);
  if (typeof value !== 'string') return fromJson(value);
  if (MOMENTS.has(name) && parseTimestamp(value) !== undefined) return parseMoment(value);
  if (name === 'id' || name.endsWith('_id') || name === 'follows') return new Identifier(value);
  const enumeration = ENUMS[`${kind}.${name}`];
  return enumeration === undefined ? value : new Member(enumeration, value);
}

type Fields = Readonly<Record<string, unknown>>;

/** A model of Prefect's: its fields are attributes. */
class Model extends Thing {
  readonly type: string;
  readonly #json: Fields;
  readonly #fields = new Map<string, Value>();
  constructor(type: string, json: Fields) {
    super();
    this.type = type;
    this.#json = json;
  }
  override attribute(name: string): Value | undefined {
    if (!Object.hasOwn(this.#json, name)) return undefined;
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const field = toField(this.type, name, this.#json[name]);
    this.#fields.set(name, field);
    return field;
  }
  print(): string {
    const { id, name } = this.#json;
    return `${this.type}(${[id, name].filter((part) => typeof part === 'string').join(', ')})`;
  }
  override toPlain(): Value {
    return fromJson(this.#json);
  }
}

/** A resource of an event: a dictionary of labels with a few attributes. */
class ResourceObject extends Thing {
  readonly type = 'Resource';
  readonly #labels: Dictionary;
  constructor(labels: Fields) {
    super();
    this.#labels = new Dictionary(Object.entries(labels).map(([label, value]) => [label, fromJson(value)] as const));
  }
  override attribute(name: string): Value | undefined {
    switch (name) {
      case 'id':
      case 'name':
      case 'role':
        return this.#labels.get(`prefect.resource.${name}`) ?? (name === 'role' ? undefined : null);
      case 'labels':
        return new LabelDiver(this.#labels.entries().map(([label, value]) => [String(label), value] as const));
      case 'get':
        return new Callable(name, ([label = null, fallback = null]) => this.#labels.get(label) ?? fallback);
      case 'items':
        return new Callable(name, () => this.#labels.entries().map((entry) => new Tuple(entry)));
      case 'keys':
        return new Callable(name, () => this.#labels.entries().map(([label]) => label));
      case 'values':
        return new Callable(name, () => this.#labels.entries().map(([, value]) => value));
      default:
        return undefined;
    }
  }
  override item(key: Value): Value | undefined {
    return isText(key) ? this.#labels.get(key) : undefined;
  }
  override iterate(): readonly Value[] {
    return this.#labels.entries().map(([label]) => label);
  }
  label(name: string): string {
    const value = this.#labels.get(name);
    return value !== undefined && isText(value) ? textOf(value) : '';
  }
  print(): string {
    return this.label('prefect.resource.id');
  }
  override toPlain(): Value {
    return this.#labels;
  }
}

/** Labels by their parts: `labels.prefect.resource.id`. */
class LabelDiver extends Thing {
  readonly type = 'LabelDiver';
  readonly #labels: readonly (readonly [string, Value])[];
  readonly #value: Value;
  constructor(labels: readonly (readonly [string, Value])[], value: Value = '') {
    super();
    this.#labels = labels;
    this.#value = value;
  }
  override attribute(name: string): Value | undefined {
    const own = this.#labels.find(([label]) => label === name);
    const below = this.#labels.flatMap(([label, value]) => (label.startsWith(`${name}.`) ? [[label.slice(name.length + 1), value] as const] : []));
    return own === undefined && below.length === 0 ? undefined : new LabelDiver(below, own?.[1] ?? '');
  }
  override item(key: Value): Value | undefined {
    return isText(key) ? this.#labels.find(([label]) => label === textOf(key))?.[1] : undefined;
  }
  override iterate(): readonly Value[] {
    return this.#labels.map((entry) => new Tuple(entry));
  }
  print(): string {
    return isText(this.#value) ? textOf(this.#value) : '';
  }
  override toPlain(): Value {
    return this.print();
  }
}

/** A received event. */
class EventObject extends Model {
  readonly #resource: ResourceObject;
  readonly #related: readonly ResourceObject[];
  constructor(event: Fields) {
    super('received-event', event);
    this.#resource = new ResourceObject(isJsonObject(event['resource']) ? event['resource'] : {});
    this.#related = (Array.isArray(event['related']) ? event['related'] : []).map((labels: unknown) => new ResourceObject(isJsonObject(labels) ? labels : {}));
  }
  override attribute(name: string): Value | undefined {
    switch (name) {
      case 'resource':
        return this.#resource;
      case 'related':
        return [...this.#related];
      case 'involved_resources':
        return [this.#resource, ...this.#related];
      case 'resource_in_role':
        return new Dictionary(this.#related.toReversed().map((related) => [related.label('prefect.resource.role'), related] as const));
      case 'resources_in_role':
        return new Dictionary([...Map.groupBy(this.#related, (related) => related.label('prefect.resource.role'))]);
      case 'find_resource_label':
        return new Callable(name, ([label = '']) => this.#findLabel(isText(label) ? textOf(label) : ''));
      default:
        return super.attribute(name);
    }
  }
  /** `related:ROLE:LABEL` looks into the first related resource of the role that there is. */
  #findLabel(label: string): Value {
    const [, role, relatedLabel] = /^related:(.*):([^:]*)$/s.exec(label) ?? [];
    const resource = role === undefined ? this.#resource : this.#related.find((related) => related.label('prefect.resource.role') === role);
    return resource?.item(relatedLabel ?? label) ?? null;
  }
}

/** The kinds of models that a template may get. */
export type ModelKind = 'flow-run' | 'task-run' | 'deployment' | 'flow' | 'work-pool' | 'work-queue' | 'concurrency-limit' | 'automation' | 'firing';

/** A model from its JSON, as the API gives it. */
export function modelObject(kind: ModelKind, json: object): Thing {
  return new Model(kind, { ...json });
}

/** A received event from its JSON. */
export function eventObject(event: Event): Thing {
  return new EventObject(event);
}

/** Labels that can be asked for by their parts. */
export function labelDiver(labels: Readonly<Record<string, string>>): Thing {
  return new LabelDiver(Object.entries(labels));
}

/** The JSON of what `ui_url` and its like are about; undefined for other values. */
export function describeObject(value: Value): { kind: string; id: string; occurred?: Moment } | undefined {
  if (value instanceof ResourceObject) {
    const id = value.label('prefect.resource.id');
    const end = id.lastIndexOf('.');
    return end < 0 ? undefined : { kind: id.slice(0, end), id: id.slice(end + 1) };
  }
  if (!(value instanceof Model)) return undefined;
  const [id, name, occurred] = ['id', 'name', 'occurred'].map((field) => value.attribute(field));
  const address = value.type === 'work-pool' ? name : id;
  const text = address instanceof Identifier ? address.print() : typeof address === 'string' ? address : undefined;
  return text === undefined ? undefined : { kind: value.type, id: text, ...(occurred instanceof Moment && { occurred }) };
}
