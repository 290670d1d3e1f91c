import { UnprocessableError } from '@praetor/schema/errors';
import type { DeploymentSchedule, DeploymentScheduleCreate, DeploymentScheduleUpdate } from '@praetor/schema/schedule';

/** What a PATCH of a deployment does to its schedules. */
export type SchedulePlan =
  | { kind: 'replace'; create: DeploymentScheduleCreate[] }
  | { kind: 'match'; update: { id: string; renamed: boolean; update: DeploymentScheduleUpdate }[]; create: DeploymentScheduleCreate[] };

function toCreate({ schedule, active, parameters, slug }: DeploymentScheduleUpdate): DeploymentScheduleCreate {
  if (!schedule) throw new UnprocessableError('A new schedule needs to say when it runs.');
  return { schedule, active: active ?? true, max_scheduled_runs: null, parameters: parameters ?? {}, slug: slug ?? null, replaces: null };
}

function findRepeated(slugs: readonly string[]): string | undefined {
  return slugs.find((slug, index) => slugs.indexOf(slug) !== index);
}

/**
 * Plans the changes (facts/rules.md §8). Where every schedule in question has a slug they are matched by it, or by the
 * slug which they replace, and what is not mentioned stays; else all are replaced. Throws UnprocessableError.
 */
export function planSchedules(existing: readonly Pick<DeploymentSchedule, 'id' | 'slug'>[], given: readonly DeploymentScheduleUpdate[]): SchedulePlan {
  const idOf = new Map(existing.flatMap(({ id, slug }) => (slug === null ? [] : [[slug, id] as const])));
  const matchable = existing.length > 0 && idOf.size === existing.length;
  if (!matchable) return { kind: 'replace', create: given.filter(({ schedule }) => schedule).map(toCreate) };
  if (given.some(({ slug }) => !slug)) throw new UnprocessableError('Every schedule needs a slug here, so that it is clear which one is meant.');

  const replaced = given.flatMap(({ replaces }) => replaces ?? []);
  const repeated = findRepeated(replaced);
  if (repeated !== undefined) throw new UnprocessableError(`Several schedules replace '${repeated}'.`);
  const taken = given.find(({ slug, replaces }) => replaces && slug && idOf.has(slug) && !replaced.includes(slug));
  if (taken) throw new UnprocessableError(`'${taken.replaces}' cannot become '${taken.slug}': there is a schedule of that name.`);

  const plan: SchedulePlan = { kind: 'match', update: [], create: [] };
  for (const update of given) {
    const id = idOf.get(update.replaces ?? update.slug ?? '');
    // A deployment's schedules are described as a whole: parameters that are not mentioned are none.
    if (id === undefined) plan.create.push(toCreate(update));
    else plan.update.push({ id, renamed: Boolean(update.replaces), update: { ...update, parameters: update.parameters ?? {} } });
  }
  return plan;
}
