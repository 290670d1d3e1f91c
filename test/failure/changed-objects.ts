import { randomUUID } from 'node:crypto';
import type { Api } from '@praetor/test/support/api';

/*
 * Objects of many kinds which a client creates, changes and deletes, with the events that each change must have. A client
 * whose answer is lost does not know whether its change was made: it leaves the object alone, and the ledger finds out at
 * the end what the object is like, and so what must have been told.
 */

/** What an object is like to its readers: a mark that each change sets anew; undefined where it is not there. */
type Look = (api: Api, name: string) => Promise<number | undefined>;

interface Change {
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  body?: object;
  /** Events of the object, or, as `event of name`, of another one. */
  events: readonly string[];
}

interface Kind {
  create(name: string): Change;
  /** Gives the object another mark; `id` is what its creation answered. */
  change(name: string, mark: number, id: string): Change;
  delete(name: string, id: string): Change;
  look: Look;
}

/** Looks with a GET; the mark is what `read` finds in the body. */
const lookAt =
  (path: (name: string) => string, read: (body: Record<string, unknown>) => unknown): Look =>
  async (api, name) => {
    const { status, body } = await api.get(path(name));
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${path(name)}: ${status}`);
    return Number(read(body));
  };

const isPaused = (mark: number) => mark % 2 === 1;
const pauseEvent = (mark: number) => (isPaused(mark) ? 'paused' : 'not-ready');

/** What the objects are made of that must be there first. */
export interface Ground {
  flowId: string;
  flowName: string;
  pool: string;
  blockTypeId: string;
  blockSchemaId: string;
}

function kinds({ flowId, flowName, pool, blockTypeId, blockSchemaId }: Ground): Kind[] {
  const trigger = { type: 'event', posture: 'Reactive', expect: ['nothing.of.this'], threshold: 1, within: 0 };
  const automation = (name: string, mark: number) => ({ name, description: String(mark), trigger, actions: [{ type: 'do-nothing' }] });
  return [
    {
      create: (name) => ({ method: 'POST', path: '/variables/', body: { name, value: 0 }, events: ['prefect.variable.created'] }),
      change: (name, mark) => ({ method: 'PATCH', path: `/variables/name/${name}`, body: { value: mark }, events: ['prefect.variable.updated'] }),
      delete: (name) => ({ method: 'DELETE', path: `/variables/name/${name}`, events: ['prefect.variable.deleted'] }),
      look: lookAt((name) => `/variables/name/${name}`, ({ value }) => value),
    },
    {
      create: (name) => ({ method: 'POST', path: '/flows/', body: { name, tags: ['0'] }, events: ['prefect.flow.created'] }),
      change: (_, mark, id) => ({ method: 'PATCH', path: `/flows/${id}`, body: { tags: [String(mark)] }, events: ['prefect.flow.updated'] }),
      delete: (_, id) => ({ method: 'DELETE', path: `/flows/${id}`, events: ['prefect.flow.deleted'] }),
      look: lookAt((name) => `/flows/name/${name}`, ({ tags }) => tags),
    },
    {
      create: (name) => ({ method: 'POST', path: '/work_pools/', body: { name, type: 'process', description: '0' }, events: ['prefect.work-queue.created of default', 'prefect.work-pool.created', 'prefect.work-pool.not-ready'] }),
      change: (name, mark) => ({
        method: 'PATCH',
        path: `/work_pools/${name}`,
        body: { description: String(mark), is_paused: isPaused(mark) },
        events: ['prefect.work-pool.updated', `prefect.work-pool.${pauseEvent(mark)}`],
      }),
      delete: (name) => ({ method: 'DELETE', path: `/work_pools/${name}`, events: ['prefect.work-queue.deleted of default', 'prefect.work-pool.deleted'] }),
      look: lookAt((name) => `/work_pools/${name}`, ({ description }) => description),
    },
    {
      create: (name) => ({ method: 'POST', path: `/work_pools/${pool}/queues`, body: { name, description: '0' }, events: ['prefect.work-queue.created'] }),
      change: (name, mark) => ({
        method: 'PATCH',
        path: `/work_pools/${pool}/queues/${name}`,
        body: { description: String(mark), is_paused: isPaused(mark) },
        events: ['prefect.work-queue.updated', `prefect.work-queue.${pauseEvent(mark)}`],
      }),
      delete: (name) => ({ method: 'DELETE', path: `/work_pools/${pool}/queues/${name}`, events: ['prefect.work-queue.deleted'] }),
      look: lookAt((name) => `/work_pools/${pool}/queues/${name}`, ({ description }) => description),
    },
    {
      create: (name) => ({ method: 'POST', path: '/deployments/', body: { name, flow_id: flowId, description: '0' }, events: ['prefect.deployment.created'] }),
      change: (_, mark, id) => ({ method: 'PATCH', path: `/deployments/${id}`, body: { description: String(mark) }, events: ['prefect.deployment.updated'] }),
      delete: (_, id) => ({ method: 'DELETE', path: `/deployments/${id}`, events: ['prefect.deployment.deleted'] }),
      look: lookAt((name) => `/deployments/name/${flowName}/${name}`, ({ description }) => description),
    },
    {
      create: (name) => ({ method: 'POST', path: '/automations/', body: automation(name, 0), events: ['prefect.automation.created'] }),
      change: (name, mark, id) => ({ method: 'PUT', path: `/automations/${id}`, body: automation(name, mark), events: ['prefect.automation.updated'] }),
      delete: (_, id) => ({ method: 'DELETE', path: `/automations/${id}`, events: ['prefect.automation.deleted'] }),
      look: async (api, name) => {
        const [found] = await api.expect(200, 'POST', '/automations/filter', { automations: { name: { any_: [name] } } });
        return found === undefined ? undefined : Number(found.description);
      },
    },
    {
      create: (name) => ({ method: 'POST', path: '/v2/concurrency_limits/', body: { name, limit: 0 }, events: ['prefect.concurrency-limit.created'] }),
      change: (name, mark) => ({ method: 'PATCH', path: `/v2/concurrency_limits/${name}`, body: { limit: mark }, events: ['prefect.concurrency-limit.updated'] }),
      delete: (name) => ({ method: 'DELETE', path: `/v2/concurrency_limits/${name}`, events: ['prefect.concurrency-limit.deleted'] }),
      look: lookAt((name) => `/v2/concurrency_limits/${name}`, ({ limit }) => limit),
    },
    {
      create: (name) => ({
        method: 'POST',
        path: '/block_documents/',
        body: { name, data: { value: '0' }, block_type_id: blockTypeId, block_schema_id: blockSchemaId },
        events: ['prefect.block-document.created'],
      }),
      change: (_, mark, id) => ({ method: 'PATCH', path: `/block_documents/${id}`, body: { data: { value: String(mark) } }, events: ['prefect.block-document.updated'] }),
      delete: (_, id) => ({ method: 'DELETE', path: `/block_documents/${id}`, events: ['prefect.block-document.deleted'] }),
      look: lookAt(
        (name) => `/block_types/slug/${BLOCK_SLUG}/block_documents/name/${name}`,
        ({ data }) => (typeof data === 'object' && data !== null ? Reflect.get(data, 'value') : undefined),
      ),
    },
  ];
}

export const BLOCK_SLUG = 'kept';
const CHANGES = 3;

/** Which events there must be of which objects: `event of name`, as often as told. */
export type Told = Map<string, number>;

/** A change whose answer was lost. */
interface Doubt {
  kind: Kind;
  name: string;
  change: Change;
  wasMade: (mark: number | undefined) => boolean;
}

/** Changes objects and keeps the account of what must be told. */
export class Ledger {
  readonly #kinds: Kind[];
  readonly #told: Told = new Map();
  readonly #doubts: Doubt[] = [];
  /** Changes whose answer came. */
  made = 0;

  constructor(ground: Ground) {
    this.#kinds = kinds(ground);
  }

  get doubts(): number {
    return this.#doubts.length;
  }

  #tell(name: string, { events }: Change): void {
    for (const event of events) {
      const key = event.includes(' of ') ? event : `${event} of ${name}`;
      this.#told.set(key, (this.#told.get(key) ?? 0) + 1);
    }
  }

  /** Makes one change; gives the answer, or undefined where it was lost. Throws where it was refused. */
  async #make(api: Api, doubt: Doubt): Promise<{ id: string } | undefined> {
    const { method, path, body } = doubt.change;
    const answer = await api.request(method, path, body).catch(() => undefined);
    if (answer === undefined || answer.status === 503) {
      this.#doubts.push(doubt);
      return undefined;
    }
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    this.#tell(doubt.name, doubt.change);
    this.made++;
    return { id: String(answer.body.id ?? '') };
  }

  /** The life of one object of the kind whose turn it is; half of them stay. Ends where an answer is lost. */
  async live(api: Api, turn: number): Promise<void> {
    const kind = this.#kinds[turn % this.#kinds.length];
    if (kind === undefined) return;
    // Each kind allows other characters, and all of them these.
    const name = `object${randomUUID().replaceAll('-', '')}`;
    const created = await this.#make(api, { kind, name, change: kind.create(name), wasMade: (mark) => mark !== undefined });
    if (created === undefined) return;
    for (let mark = 1; mark <= CHANGES; mark++)
      if ((await this.#make(api, { kind, name, change: kind.change(name, mark, created.id), wasMade: (found) => found === mark })) === undefined) return;
    if (Math.random() < 0.5) await this.#make(api, { kind, name, change: kind.delete(name, created.id), wasMade: (mark) => mark === undefined });
  }

  /** What must have been told, every doubt settled by a look at the object. For when nothing changes any more. */
  async settle(api: Api): Promise<Told> {
    for (const { kind, name, change, wasMade } of this.#doubts.splice(0)) if (wasMade(await kind.look(api, name))) this.#tell(name, change);
    return this.#told;
  }
}
