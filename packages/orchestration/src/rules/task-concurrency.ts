import { ANY, type Rule, type Transform, abort, types, wait } from '../engine.ts';
import { clampedPoissonInterval } from '../poisson.ts';
import type { LimitFacts, TaskTransition } from '../transition.ts';

/** The holder of a tag's slot cannot renew a lease, so it lasts for about a century. */
const TAG_LEASE_SECONDS = 100 * 365 * 86_400;

const tags = (limits: { name: string }[]): string => limits.map((limit) => limit.name.slice('tag:'.length)).join(', ');

/** Seconds to wait: what a slot of the fullest limit is usually held for, randomised. */
function slotWait({ settings, random }: TaskTransition, limits: LimitFacts[]): number {
  const fullest = limits.reduce((one, other) => (other.activeSlots / other.limit > one.activeSlots / one.limit ? other : one));
  const longest = settings.tagSlotWaitSeconds;
  return Math.round(clampedPoissonInterval(Math.min(fullest.averageOccupancySeconds || longest, longest), random));
}

/** A task run takes a slot of every limit on its tags, or waits. */
export const secureTaskConcurrencySlots: Rule<TaskTransition> = {
  name: 'SecureTaskConcurrencySlots',
  from: ANY,
  to: types('RUNNING'),
  before(transition) {
    const { facts, run, effects, newId, settings } = transition;
    const limits = facts.tagLimits.filter((limit) => limit.active);
    const legacy = facts.legacyLimits.filter(({ tag }) => !limits.some((limit) => limit.name === `tag:${tag}`));
    const zero = [...limits, ...legacy.map(({ tag, limit }) => ({ name: `tag:${tag}`, limit }))].filter((limit) => limit.limit === 0);
    const open = limits.filter((limit) => limit.limit > 0);
    // A limit of 0 is only noticed when the others have room.
    if (open.some((limit) => limit.activeSlots >= limit.limit)) return wait(slotWait(transition, open), `The concurrency limits of these tags are reached: ${tags(open)}`);
    if (zero.length > 0) return abort(`The concurrency limit of these tags is 0; the task would wait for ever: ${tags(zero)}`);
    const full = legacy.find((limit) => limit.holders.length >= limit.limit);
    if (full) return wait(settings.tagSlotWaitSeconds, `The concurrency limit of the tag ${full.tag} is reached.`);
    if (limits.length > 0) {
      const lease = { id: newId(), seconds: TAG_LEASE_SECONDS, holder: { type: 'task_run' as const, id: run.id } };
      effects.push({ type: 'take_slots', limitIds: limits.map((limit) => limit.id), lease });
    }
    if (legacy.length > 0) effects.push({ type: 'take_legacy_slots', limitIds: legacy.map((limit) => limit.id) });
    return undefined;
  },
  cleanup(transition) {
    transition.effects = transition.effects.filter((effect) => effect.type !== 'take_slots' && effect.type !== 'take_legacy_slots');
  },
};

/** A task run that has stopped gives back every slot it holds. */
export const releaseTaskConcurrencySlots: Transform<TaskTransition> = {
  name: 'ReleaseTaskConcurrencySlots',
  after({ proposed, facts, run, effects }) {
    if (!proposed || proposed.type === 'RUNNING' || proposed.type === 'CANCELLING') return;
    if (facts.heldLeaseIds.length > 0) effects.push({ type: 'release_held_leases', leaseIds: facts.heldLeaseIds });
    const held = facts.legacyLimits.filter((limit) => limit.holders.includes(run.id));
    if (held.length > 0) effects.push({ type: 'release_legacy_slots', limitIds: held.map((limit) => limit.id) });
  },
};
