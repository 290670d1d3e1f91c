import { type Kysely, sql } from 'kysely';
import { automationCondition } from '@praetor/database/filter/resources';
import { withJsonColumns } from '@praetor/database/json-columns';
import type { Tables } from '@praetor/database/tables';
import { type Automation, type AutomationCreate, type AutomationUpdate, automation } from '@praetor/schema/automation';
import type { AutomationFilter, AutomationSort } from '@praetor/schema/filters/automation';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { Page } from '../http/pagination.ts';

const COLUMNS = automation.keyof().options;

const ORDER = {
  CREATED_DESC: ['created', 'desc'],
  UPDATED_DESC: ['updated', 'desc'],
  NAME_ASC: ['name', 'asc'],
  NAME_DESC: ['name', 'desc'],
} as const satisfies Record<AutomationSort, readonly [keyof Automation, 'asc' | 'desc']>;

/** A stored automation in the form of today: what older servers stored may lack fields. One that cannot be read is shown as it is. */
function toAutomation(row: Automation): Automation {
  return automation.safeParse(row).data ?? row;
}

const toColumns = <T extends AutomationUpdate>(given: T) => withJsonColumns(given, 'tags', 'trigger', 'actions', 'actions_on_trigger', 'actions_on_resolve');

export async function insertAutomation(db: Kysely<Tables>, { owner_resource: _, ...given }: AutomationCreate): Promise<Automation> {
  return toAutomation(await db.insertInto('automation').values(toColumns(given)).returning(COLUMNS).executeTakeFirstOrThrow());
}

export async function findAutomation(db: Kysely<Tables>, id: string): Promise<Automation | undefined> {
  const row = await db.selectFrom('automation').select(COLUMNS).where('id', '=', id).executeTakeFirst();
  return row && toAutomation(row);
}

/** Reads an automation that nobody else changes until the transaction ends. */
export async function lockAutomation(db: Kysely<Tables>, id: string): Promise<Automation | undefined> {
  const row = await db.selectFrom('automation').select(COLUMNS).where('id', '=', id).forNoKeyUpdate().executeTakeFirst();
  return row && toAutomation(row);
}

/** Changes what is given. `updated` changes in any case: by it the services that evaluate triggers notice. */
export async function updateAutomation(db: Kysely<Tables>, id: string, changes: AutomationUpdate | Pick<AutomationUpdate, 'enabled'>): Promise<Automation | undefined> {
  const columns = 'trigger' in changes ? toColumns(changes) : changes;
  const row = await db
    .updateTable('automation')
    .set({ ...columns, updated: sql`now()` })
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirst();
  return row && toAutomation(row);
}

/** Deletes an automation and, by cascade, all that its triggers remember. */
export async function deleteAutomation(db: Kysely<Tables>, id: string): Promise<Automation | undefined> {
  const row = await db.deleteFrom('automation').where('id', '=', id).returning(COLUMNS).executeTakeFirst();
  return row && toAutomation(row);
}

export async function listAutomations(db: Kysely<Tables>, filter: AutomationFilter | null | undefined, sort: AutomationSort, { limit, offset }: Page): Promise<Automation[]> {
  const [column, direction] = ORDER[sort];
  const rows = await db
    .selectFrom('automation')
    .select(COLUMNS)
    .where(automationCondition(filter))
    .orderBy(column, direction)
    .orderBy('id')
    .limit(limit)
    .offset(offset)
    .execute();
  return rows.map(toAutomation);
}

export async function countAutomations(db: Kysely<Tables>, filter: AutomationFilter | null | undefined): Promise<number> {
  const { count } = await db
    .selectFrom('automation')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where(automationCondition(filter))
    .executeTakeFirstOrThrow();
  return count;
}

/* Related resources: the deployments that an automation runs, and the one thing (a deployment, mostly) that it belongs to. */

/** Ties an automation to a resource; a tie of ownership is never loosened. */
export async function relateAutomation(db: Kysely<Tables>, automationId: string, resourceIds: readonly string[], isOwned: boolean): Promise<void> {
  if (resourceIds.length === 0) return;
  await db
    .insertInto('automation_related_resource')
    .values(resourceIds.map((resource_id) => ({ automation_id: automationId, resource_id, automation_owned_by_resource: isOwned })))
    .onConflict((conflict) =>
      conflict.columns(['automation_id', 'resource_id']).doUpdateSet({
        automation_owned_by_resource: sql`automation_related_resource.automation_owned_by_resource or excluded.automation_owned_by_resource`,
        updated: sql`now()`,
      }),
    )
    .execute();
}

/** Ties an automation to the deployments that its actions run now, and to no others. */
export async function relateToDeployments(db: Kysely<Tables>, automationId: string, actions: Automation['actions']): Promise<void> {
  const ids = actions.flatMap((action) => (action.type === 'run-deployment' && action.deployment_id !== null ? [`prefect.deployment.${action.deployment_id}`] : []));
  await db
    .deleteFrom('automation_related_resource')
    .where('automation_id', '=', automationId)
    .where('resource_id', 'like', 'prefect.deployment.%')
    .where('automation_owned_by_resource', '=', false)
    .execute();
  await relateAutomation(db, automationId, [...new Set(ids)], false);
}

export async function listRelatedAutomations(db: Kysely<Tables>, resourceId: string): Promise<Automation[]> {
  const rows = await db
    .selectFrom('automation')
    .select(COLUMNS)
    .where('id', 'in', (related) => related.selectFrom('automation_related_resource').select('automation_id').where('resource_id', '=', resourceId))
    .orderBy('created')
    .orderBy('id')
    .execute();
  return rows.map(toAutomation);
}

/** Deletes the automations of a resource that were there at some time; a client that replaces them has created the new ones after. */
export async function deleteOwnedAutomations(db: Kysely<Tables>, resourceId: string, before: Timestamp): Promise<void> {
  await db
    .deleteFrom('automation')
    .where('created', '<=', before)
    .where('id', 'in', (owned) =>
      owned.selectFrom('automation_related_resource').select('automation_id').where('resource_id', '=', resourceId).where('automation_owned_by_resource', '=', true),
    )
    .execute();
}
