import { randomUUID } from 'node:crypto';
import type { Sql } from '@praetor/database/sql';
import type { Trigger } from '@praetor/schema/automation/trigger';
import { type JsonObject, toJson } from '@praetor/schema/json';

/** A trigger, complete; what matters to a test is given. */
export function makeTrigger(fields: Partial<Extract<Trigger, { type: 'event' }>> = {}): Trigger {
  return { type: 'event', id: randomUUID(), match: {}, match_related: {}, after: [], expect: [], for_each: [], posture: 'Reactive', threshold: 1, within: 0, ...fields };
}

export interface NewAutomation {
  trigger: Trigger;
  actions?: JsonObject[];
  actionsOnTrigger?: JsonObject[];
  enabled?: boolean;
  name?: string;
}

/** Stores an automation; gives its id. By default it does nothing when it fires. */
export async function storeAutomation(sql: Sql, { trigger, actions = [{ type: 'do-nothing' }], actionsOnTrigger = [], enabled = true, name = 'watch' }: NewAutomation): Promise<string> {
  const id = randomUUID();
  await sql`
    insert into automation (id, name, description, enabled, trigger, actions, actions_on_trigger)
    values (${id}::uuid, ${name}, '', ${enabled}, ${toJson(trigger)}::jsonb, ${toJson(actions)}::jsonb, ${toJson(actionsOnTrigger)}::jsonb)`;
  return id;
}
